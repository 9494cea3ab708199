"""Learns the program of a flow kind from recordings of it; start reading at `learn.py`."""
