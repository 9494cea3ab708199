"""An incident written down, every sentence with the evidence it was computed from.

In: `IncidentFacts` (what the store holds about one incident). Out: a `Document`, then Markdown or
HTML, the same bytes for the same data. Start reading at `model.py`, then `build.py`.
"""

from retrospan.report.build import build
from retrospan.report.facts import IncidentFacts, gather
from retrospan.report.render import to_html, to_markdown

__all__ = ["IncidentFacts", "build", "gather", "to_html", "to_markdown"]
