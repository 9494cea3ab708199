"""How long the tokens of calls are valid, where attributes say."""

from collections.abc import Mapping

from analyzer.conformance.report import Answer, Report, Rows, span_evidence, verdict_of
from analyzer.conformance.settings import ConformanceSettings

COLUMNS = ("service", "spans", "told", "shortest_s", "longest_s", "too_long")


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    rows = [row for row in answers["tokens"] if row["told"]]
    told = sum(row["told"] for row in rows)
    long = sum(row["too_long"] for row in rows)
    declared = settings.token_lifetime_max_s is not None
    if not told:
        said = "no span tells how long a token is valid (" + (
            ", ".join(settings.token_lifetime_attributes) + ")"
        )
    elif not declared:
        said = f"{told} spans tell; no token_lifetime_max_s is declared"
    else:
        said = f"{long} of {told} tokens were valid longer than {settings.token_lifetime_max_s} s"
    calls = sum(row["spans"] for row in answers["tokens"])
    return Answer(
        verdict=verdict_of(declared=declared, checked=calls, violations=long, unknown=calls - told),
        message=said,
        declared=declared,
        checked=calls,
        unknown=calls - told,
        columns=COLUMNS,
        rows=[{column: row[column] for column in COLUMNS} for row in rows],
        evidence=span_evidence(rows),
    )


REPORT = Report(
    name="tokens",
    title="Lifetime of tokens",
    asks=lambda settings: {
        "tokens": (
            "tokens",
            {
                "attributes": list(settings.token_lifetime_attributes),
                "longest_s": settings.token_lifetime_max_s,
            },
        )
    },
    judge=_judge,
)
