"""The decision log of an enrichment recording, with what the curators said."""

from __future__ import annotations

from datetime import datetime

from sample_traces.services.decisions import chain, human_review
from sample_traces.services.system import Recording
from sample_traces.services.web import Json


def decision_lines(recording: Recording, now: datetime) -> list[str]:
    """The log; the decisions a curator saw carry the review."""
    waiting: dict[tuple[str, str], list[Json]] = {}
    for review in recording.page("curation", "reviews"):
        waiting.setdefault((review["flow_id"], review["advised"]), []).append(review)
    records = []
    for entry in recording.page("extractor", "decisions"):
        record = dict(entry["record"])
        mine = waiting.get((record["flow_id"], record["chosen"]), [])
        if record["policy"]["outcome"] == "escalate" and mine:
            record["human_review"] = human_review(mine.pop(0), record["time"])
        records.append(record)
    return chain(records, lambda _: None)
