"""Pairs of services that call each other without being allowed to.

Least privilege between services as zero-trust networks ask for it (NIST SP 800-207, section 2.1):
what is not on the list may not call.
"""

from collections.abc import Mapping

from analyzer.conformance.report import Answer, Report, Rows, span_evidence, verdict_of
from analyzer.conformance.settings import ConformanceSettings

COLUMNS = ("caller", "callee", "calls", "flows", "allowed")


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    pairs = answers["pairs"]
    declared = bool(settings.allowed_calls)
    outside = [row for row in pairs if not settings.allows(row["caller"], row["callee"])]
    rows = [
        {
            "caller": row["caller"],
            "callee": row["callee"],
            "calls": row["calls"],
            "flows": row["flows"],
            "allowed": settings.allows(row["caller"], row["callee"]) if declared else None,
        }
        for row in pairs
    ]
    if not declared:
        said = f"{len(pairs)} pairs of services call each other; no allowed_calls are declared"
    elif outside:
        names = ", ".join(f"{row['caller']} -> {row['callee']}" for row in outside[:5])
        said = f"{len(outside)} of {len(pairs)} pairs are outside the allow list: {names}"
    else:
        said = f"all {len(pairs)} pairs are on the allow list"
    return Answer(
        verdict=verdict_of(
            declared=declared, checked=len(pairs), violations=len(outside), unknown=0
        ),
        message=said,
        declared=declared,
        checked=len(pairs),
        unknown=0,
        columns=COLUMNS,
        rows=sorted(
            rows, key=lambda row: (row["allowed"] is not False, row["caller"], row["callee"])
        ),
        evidence=span_evidence(outside) if declared else (),
    )


REPORT = Report(
    name="allowed_calls",
    title="Calls outside the allow list",
    asks=lambda settings: {"pairs": ("pairs", {})},
    judge=_judge,
)
