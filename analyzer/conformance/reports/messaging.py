"""Messages: how late they are taken, which are taken twice or never, which end as dead letters.

A message nobody took is told only of destinations that some recorded consumer takes from: a
consumer that records nothing leaves no trace either.
"""

from collections.abc import Mapping

from analyzer.conformance.report import Answer, Report, Row, Rows, span_evidence, verdict_of
from analyzer.conformance.settings import ConformanceSettings

NS_PER_MS = 1_000_000
COLUMNS = (
    "destination", "produced", "consumed", "lag_median_ns", "lag_p95_ns", "lag_most_ns",
    "redelivered", "never_consumed", "still_open", "consumed_of_unknown_origin", "dead_letter",
)  # fmt: skip


def _never(row: Row) -> int | None:
    """Messages nobody took; None where no consumer is recorded at all."""
    return int(row["never_consumed"]) if row["consumed"] > row["untied"] else None


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    rows = answers["messaging"]
    declared = settings.messages_must_arrive or settings.message_lag_max_ms is not None
    lost = [row for row in rows if settings.messages_must_arrive and _never(row)]
    late = [
        row
        for row in rows
        if settings.message_lag_max_ms is not None
        and (row["lag_p95_ns"] or 0) > settings.message_lag_max_ms * NS_PER_MS
    ]
    produced = sum(row["produced"] for row in rows)
    unseen = sum(row["produced"] for row in rows if _never(row) is None)
    dead = sum(max(row["produced"], row["consumed"]) for row in rows if row["dead_letter"])
    said = (
        f"{produced} messages to {len(rows)} destinations: "
        f"{sum(_never(row) or 0 for row in rows)} never taken, "
        f"{sum(row['redelivered'] for row in rows)} taken more than once by one service, "
        f"{dead} dead letters"
        if rows
        else "no span sends or takes a message"
    )
    if unseen:
        said += f"; of {unseen} no consumer is recorded"
    if declared and late:
        names = ", ".join(row["destination"] for row in late)
        said += f"; the slowest twentieth waited longer than declared at {names}"
    return Answer(
        verdict=verdict_of(
            declared=declared, checked=produced, violations=len(lost) + len(late), unknown=unseen
        ),
        message=said,
        declared=declared,
        checked=produced,
        unknown=unseen,
        columns=COLUMNS,
        rows=[
            {
                "destination": row["destination"],
                "produced": row["produced"],
                "consumed": row["consumed"],
                "lag_median_ns": row["lag_median_ns"],
                "lag_p95_ns": row["lag_p95_ns"],
                "lag_most_ns": row["lag_most_ns"],
                "redelivered": row["redelivered"],
                "never_consumed": _never(row),
                "still_open": row["still_open"],
                "consumed_of_unknown_origin": row["untied"],
                "dead_letter": row["dead_letter"],
            }
            for row in rows
        ],
        evidence=span_evidence(lost),
    )


REPORT = Report(
    name="messaging",
    title="Messages",
    asks=lambda settings: {
        "messaging": ("messaging", {"grace_ns": settings.message_grace_ms * NS_PER_MS})
    },
    judge=_judge,
)
