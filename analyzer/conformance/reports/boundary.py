"""The boundary map: what runs under an orchestrator, what is reached by messages, what neither.

Flows declared critical must run under a declared orchestrator; events are for what is not critical.
"""

from collections.abc import Mapping

from analyzer.conformance.report import Answer, Report, Rows, share, span_evidence, verdict_of
from analyzer.conformance.settings import ConformanceSettings

COLUMNS = (
    "flow", "critical", "flows", "central", "choreographed", "hybrid", "spans",
    "share_under_orchestrator", "share_by_message", "share_on_the_way", "share_neither",
    "flows_outside",
)  # fmt: skip


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    kinds = answers["boundary"]
    bounded = bool(settings.orchestrators)
    declared = bounded and bool(settings.critical_flows)
    critical = [row for row in kinds if row["name"] in settings.critical_flows]
    outside = [row for row in critical if row["outside_flows"]]
    flows = sum(row["flows"] for row in critical)
    if not bounded:
        said = "no orchestrators are declared, so where the boundary runs is unknown"
    elif not settings.critical_flows:
        said = "no critical_flows are declared; the map shows what runs where"
    elif outside:
        count = sum(row["outside_flows"] for row in outside)
        said = f"{count} of {flows} critical flows have work outside the declared boundary"
    else:
        said = f"all {flows} critical flows run inside the declared boundary"
    return Answer(
        verdict=verdict_of(declared=declared, checked=flows, violations=len(outside), unknown=0),
        message=said,
        declared=declared,
        checked=flows,
        unknown=0,
        columns=COLUMNS,
        rows=[
            {
                "flow": row["name"],
                "critical": row["name"] in settings.critical_flows,
                "flows": row["flows"],
                "central": row["central"],
                "choreographed": row["choreographed"],
                "hybrid": row["hybrid"],
                "spans": row["spans"],
                "share_under_orchestrator": share(row["led"], row["spans"]) if bounded else None,
                "share_by_message": share(row["by_message"], row["spans"]),
                "share_on_the_way": share(row["approach"], row["spans"]) if bounded else None,
                "share_neither": share(row["direct"], row["spans"]) if bounded else None,
                "flows_outside": row["outside_flows"] if bounded else None,
            }
            for row in kinds
        ],
        evidence=span_evidence(outside) if declared else (),
    )


REPORT = Report(
    name="boundary",
    title="Boundary of the orchestration",
    asks=lambda settings: {
        "boundary": ("boundary", {"orchestrators": sorted(settings.orchestrators)})
    },
    judge=_judge,
)
