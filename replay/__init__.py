"""Recorded flows in, re-executed flows with verdicts out.

In: flows as the analyzer rebuilt them. Out: replay results with digest, divergences, claim class.
Start reading at `recording.py`, then `infer/` (the program of a flow kind), `interpret.py`,
`divergence.py`.
"""
