"""What the comparison of contracts with recordings has to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from analyzer.contracts.drift import Drifted
from store.conclusions import Evidence, Verdict
from store.model import JsonValue

CALLERS_MAX: Final = 20
EVIDENCE_MAX: Final = 5
ORDER: Final = ("violation", "suspected", "unknown", "open", "pass", "not_applicable")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Caller:
    """Who called; "" where no caller's span was recorded. `n` is how often."""

    service: str
    version: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One answer. `n` of `total` exchanges (or bodies, as `unit` says) are meant; `total` counts
    those that were looked at."""

    rule: str
    verdict: Verdict
    severity: str
    service: str
    operation: str
    message: str
    n: int
    total: int
    unit: str = "exchanges"
    callers: Sequence[Caller] = ()
    first_ns: int | None = None
    last_ns: int | None = None
    evidence: Sequence[Evidence] = ()
    facts: Mapping[str, JsonValue] = field(default_factory=dict)


def ordered(results: Sequence[Result]) -> list[Result]:
    """Worst first, then by rule and place."""
    return sorted(
        results,
        key=lambda it: (
            ORDER.index(it.verdict.value), it.rule, it.service, it.operation, it.message
        ),
    )  # fmt: skip


def callers_of(rows: Sequence[Mapping[str, object]], count: str = "n") -> tuple[Caller, ...]:
    """The callers of some rows, most calls first."""
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (str(row["caller"] or ""), str(row["caller_version"] or ""))
        number = row[count]
        assert isinstance(number, int)
        counts[key] = counts.get(key, 0) + number
    ranked = sorted(counts.items(), key=lambda it: (-it[1], it[0]))
    return tuple(
        Caller(service=service, version=version, n=n)
        for (service, version), n in ranked[:CALLERS_MAX]
    )


def evidence_of(samples: Sequence[Mapping[str, object]]) -> tuple[Evidence, ...]:
    """The first spans that show it."""
    return tuple(
        Evidence(kind="span", trace_id=str(one["trace_id"]), span_id=str(one["span_id"]))
        for one in samples[:EVIDENCE_MAX]
    )


def of_drift(drifted: Drifted) -> Result:
    """A changed field as a result. That it changed is sure; whether it may is not known here, so
    what clients can stumble over is `suspected` and the rest passes."""
    counted = drifted.counted
    interval = counted.difference
    types = f"{' or '.join(drifted.types_a)} became {' or '.join(drifted.types_b)}"
    said = {
        "appeared": f"a new field, {' or '.join(drifted.types_b)}",
        "vanished": f"a field is gone, it was {' or '.join(drifted.types_a)}",
        "type_changed": types,
        "share_changed": f"is there {'more' if interval and interval.low > 0 else 'less'} often",
    }[drifted.change]
    is_harmful = drifted.change in ("vanished", "type_changed")
    return Result(
        rule=f"field_{drifted.change}",
        verdict=Verdict.SUSPECTED if is_harmful else Verdict.PASS,
        severity="warning" if is_harmful else "info",
        service=drifted.service,
        operation=drifted.operation,
        message=f"{drifted.part} {drifted.field}: {said}; before in {counted.n_a} of "
        f"{counted.total_a}, after in {counted.n_b} of {counted.total_b}",
        n=counted.n_b,
        total=counted.total_b,
        unit="spans" if drifted.part == "attribute" else "bodies",
        evidence=(drifted.evidence,),
        facts={
            "part": drifted.part,
            "field": drifted.field,
            "types_a": list(drifted.types_a),
            "types_b": list(drifted.types_b),
            "n_a": counted.n_a,
            "total_a": counted.total_a,
            "n_b": counted.n_b,
            "total_b": counted.total_b,
            "low": None if interval is None else round(interval.low, 6),
            "high": None if interval is None else round(interval.high, 6),
            "q_value": float(f"{drifted.q_value:.6g}"),
        },
    )
