"""Runs of agents: what they said and did, and which step most likely decided that they failed."""
