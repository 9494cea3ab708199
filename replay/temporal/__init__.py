"""Temporal workflows replayed from their histories by the team's own code.

In: histories as Temporal writes them. Out: a replay result each, with two verdicts: Temporal's own
(may this code go on with that history?) and the strict one (does it do the same?). Start reading at
`engine.py`, then `compare.py` (how commands differ), `process.py` (the child in the user's
interpreter). The child itself is `child/retrospan_temporal`.
"""
