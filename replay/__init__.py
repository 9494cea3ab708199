"""Recorded flows in, re-executed flows with verdicts out.

In: flows as the analyzer rebuilt them. Out: replay results with digest, divergences, claim class.
Start reading at `engine.py` (`replay_flows`), then `recording.py`, `infer/` (the program of a flow
kind), `interpret.py` (running it), `divergence.py` (judging it), `whatif.py` (counterfactuals).
"""
