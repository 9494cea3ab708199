"""Old path against new path: the share over time, and whether both gave the same answer.

The strangler's progress (M. Fowler, "StranglerFigApplication"): calls move from old to new; where
one flow called both and both succeeded, as a shadow or as a dual write, their answers are compared.
"""

from collections.abc import Mapping

from analyzer.conformance.report import (
    EVIDENCE_MAX,
    Answer,
    Report,
    Rows,
    share,
    span_evidence,
    verdict_of,
)
from analyzer.conformance.settings import ConformanceSettings
from store.conclusions import Evidence

COLUMNS = (
    "path", "start_ns", "old_calls", "new_calls", "share_new", "called_both", "agree", "differ",
    "cannot_compare",
)  # fmt: skip


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    rows = []
    said = []
    evidence: list[Evidence] = []
    ruled = checked = violations = unknown = 0
    for name, path in sorted(settings.paths.items()):
        slices = answers[name]
        old, new = (sum(row[f"{which}_calls"] for row in slices) for which in ("old", "new"))
        differ = sum(row["differ"] for row in slices)
        blind = sum(row["unknown"] for row in slices)
        said.append(
            f"{name}: {new} of {old + new} calls took the new path, {differ} answers differ"
            if slices
            else f"{name}: neither path was called"
        )
        checked += old + new
        if path.get("must_agree"):
            ruled += 1
            violations += differ
            unknown += blind
            evidence += span_evidence(slices)
        if path.get("retired"):
            ruled += 1
            violations += old
            evidence += [
                Evidence(kind="span", trace_id=row["old_trace"], span_id=row["old_span"])
                for row in slices
                if row["old_trace"] is not None
            ]
        rows += [
            {
                "path": name,
                "start_ns": row["start_ns"],
                "old_calls": row["old_calls"],
                "new_calls": row["new_calls"],
                "share_new": share(row["new_calls"], row["old_calls"] + row["new_calls"]),
                "called_both": row["both"],
                "agree": row["agree"],
                "differ": row["differ"],
                "cannot_compare": row["unknown"],
            }
            for row in slices
        ]
    return Answer(
        verdict=verdict_of(
            declared=bool(ruled), checked=checked, violations=violations, unknown=unknown
        ),
        message="; ".join(said) or "no paths are declared",
        declared=bool(ruled),
        checked=checked,
        unknown=unknown,
        columns=COLUMNS,
        rows=rows,
        evidence=evidence[:EVIDENCE_MAX],
    )


REPORT = Report(
    name="paths",
    title="Old path against new path",
    asks=lambda settings: {
        name: (
            "paths",
            {
                "old": path["old"],
                "new": path["new"],
                "fields": path.get("fields", []),
                "slices": settings.slices,
            },
        )
        for name, path in sorted(settings.paths.items())
    },
    judge=_judge,
)
