"""Decisions that activities of workflows answer with: one that decides returns what it chose.

Only an answer that says so counts: an object with the text `chosen` or `decision` beside how sure
it is (`confidence`), its `model` or its `policy`; or a whole `retrospan.decision/1` record. Names
of activities are not read: a name would be a guess.
"""

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from ingest.genai_output import parsed, short
from ingest.span_draft import SOURCE
from store.model import Decision, JsonValue, Span

ENGINES: Final = frozenset({"temporal_history", "cadence_history", "step_functions_history"})
RESPONSE: Final = "retrospan.step.response"
REQUEST: Final = "retrospan.step.request"
KEPT: Final = (
    "model", "prompt", "policy", "candidates", "confidence", "threshold", "feature_flags",
    "human_review", "usage", "input", "input_sha256",
)  # fmt: skip
"""What of the answer is kept, where it has the shape that a decision log gives it."""
OBJECTS: Final = frozenset({"model", "prompt", "policy", "feature_flags", "human_review", "usage"})


def decisions_of_activity(span: Span) -> Iterator[Decision]:
    """The decision that an activity answered with, if any."""
    told = _object(parsed(span.attributes.get(RESPONSE)))
    chosen = next((it for key in ("chosen", "decision") if (it := _text(told.get(key)))), None)
    record_like = told.get("schema") == "retrospan.decision/1"
    if chosen is None or not (record_like or {"confidence", "model", "policy"} & told.keys()):
        return
    model, policy = _named(told.get("model"), "name"), _named(told.get("policy"), "id")
    confidence, threshold = _exact(told.get("confidence")), _exact(told.get("threshold"))
    time_ns = span.end_ns if span.end_ns is not None else span.start_ns
    decision_id = _text(told.get("decision_id")) or f"span:{span.trace_id}/{span.span_id}"
    record: dict[str, JsonValue] = {name: told[name] for name in KEPT if _fits(name, told)}
    for name, part in (("model", model), ("policy", policy)):
        if part:
            record[name] = {**part}
    given = parsed(span.attributes.get(REQUEST))
    if "input" not in record and "input_sha256" not in record and isinstance(given, dict | list):
        record["input"] = given
    record |= {
        "schema": "retrospan.decision/1",
        "decision_id": decision_id,
        "time": _written(time_ns),
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "chosen": chosen,
        "actor": {"agent": span.name, "service": span.service},
        "derived_from": "span",
        "source": span.attributes.get(SOURCE),  # type: ignore[dict-item]
    }
    yield Decision(
        decision_id=decision_id,
        time_ns=time_ns,
        chosen=chosen,
        trace_id=span.trace_id,
        span_id=span.span_id,
        confidence=confidence,
        threshold=threshold,
        model_name=model.get("name"),
        model_version=model.get("version"),
        policy_id=policy.get("id"),
        policy_version=policy.get("version"),
        policy_outcome=policy.get("outcome"),
        record=record,
    )


def _object(value: object) -> dict[str, JsonValue]:
    """The answer; engines wrap a single one in a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else {}


def _fits(name: str, told: Mapping[str, JsonValue]) -> bool:
    value = told.get(name)
    if name in ("confidence", "threshold"):
        return _exact(value) is not None
    if name == "input_sha256":
        return isinstance(value, str)
    if name == "candidates":
        return isinstance(value, list)
    return isinstance(value, dict) if name in OBJECTS else value is not None


def _named(value: JsonValue, key: str) -> dict[str, str]:
    """A model or policy: its own fields, or its name alone."""
    if isinstance(value, str) and value:
        return {key: value}
    told = value if isinstance(value, dict) else {}
    return {name: it for name, it in told.items() if isinstance(it, str) and it}


def _text(value: JsonValue) -> str | None:
    return short(value) if isinstance(value, str) and value.strip() else None


def _exact(value: JsonValue) -> str | None:
    """Decimal text of a finite number; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return str(value).strip() if Decimal(str(value)).is_finite() else None
    except InvalidOperation:
        return None


def _written(time_ns: int) -> str:
    at = datetime.datetime.fromtimestamp(time_ns // 10**9, datetime.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{time_ns % 10**9:09d}Z"
