"""A team's own code, run again in its own interpreter against what was recorded.

In: a flow, its HTTP exchanges, and `module:function`. Out: a replay result with source lines.
Start reading at `engine.py`, then `process.py` (the child), `answering.py` (what it is told),
`verdict.py` (how what it did differs). The child itself is `replay/child/retrospan_child`.
"""
