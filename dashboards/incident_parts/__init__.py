"""The Incidents page in parts: in, the flows of one incident; out, what its tabs draw."""
