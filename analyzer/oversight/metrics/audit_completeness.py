"""How many decisions say all that an audit needs, and of each field how many have it."""

from collections.abc import Sequence

from analyzer.conventions import decimal_of
from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import Case, Measure, Metric, share
from store.model import JsonValue

NAME = "audit_completeness"


def _fields(it: Joined) -> dict[str, bool]:
    """Which of the required fields are there and valid."""
    decision, record = it.decision, it.decision.record

    def part(name: str, *keys: str) -> bool:
        value = record.get(name)
        return isinstance(value, dict) and any(value.get(key) for key in keys)

    return {
        "actor": part("actor", "agent", "service"),
        "model": bool(decision.model_name and decision.model_version),
        "input": record.get("input") is not None or bool(record.get("input_sha256")),
        "output": bool(decision.chosen),
        "confidence": decimal_of(decision.confidence) is not None,
        "threshold": decimal_of(decision.threshold) is not None,
        "policy": bool(decision.policy_id and decision.policy_version),
        "outcome": bool(it.outcome),
        "action": it.named or it.acted is False,
        "trace": bool(decision.trace_id and decision.span_id),
    }


def complete(it: Joined) -> bool:
    """Whether its record says all that an audit needs."""
    return all(_fields(it).values())


def _measure(case: Case) -> Sequence[Measure]:
    told = [_fields(it) for it in case.decisions]
    names = list(told[0]) if told else []
    lacking: dict[str, JsonValue] = {
        name: sum(not fields[name] for fields in told) for name in names
    }
    whole = share(
        NAME, sum(all(fields.values()) for fields in told), len(told),
        note="records that have all of them", detail={"lacking": lacking},
    )  # fmt: skip
    parts = [
        share(
            f"{NAME}.{name}",
            sum(fields[name] for fields in told),
            len(told),
            note="records that have this field",
        )
        for name in names
    ]
    return [whole, *parts]


METRIC = Metric(name=NAME, title="decisions with every field an audit needs", measure=_measure)
