"""An incident written down, every sentence with the evidence it was computed from.

In: `IncidentFacts` (what the store holds about one incident). Out: a `Document`, then Markdown or
HTML, the same bytes for the same data. Start reading at `model.py`, then `build.py`.
"""
