"""Temporal workflows replayed from their histories by the team's own code.

In: histories as Temporal writes them, from files or from the store, perhaps a scenario. Out: a
replay result each, with two verdicts: Temporal's own (may this code go on with that history?) and
the strict one (does it do the same?). Code that differs is driven past the difference to its end.
Start reading at `engine.py`, then `compare.py` (how commands differ), `driver.py` (what comes when
in a run of our own), `answering.py` (which recorded answer a command gets), `driving.py` (what may
be said of a run), `process.py` (the child in the user's interpreter). The child itself is
`child/retrospan_temporal`.
"""
