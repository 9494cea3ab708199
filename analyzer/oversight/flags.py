"""Evaluations of feature flags as decisions: of kind `flag`, wherever they were recorded.

OpenTelemetry's `feature_flag.evaluation` comes as an event of a span, in a log record, or as
attributes of the span itself; older names are read too. What says the same of one span at one time
in two places is one decision. It chose a variant; it is made by a rule, so what is asked of models
(confidence, prompt, gate) is not asked of it.
"""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from store.model import Decision, JsonValue
from store.query import ask
from store.read import read_range
from store.session import Session

FLAGS: Final = Path(__file__).with_name("flags.sql")
KIND: Final = "flag"
ID_BEGIN: Final = "flag:"
NO_ID: Final = "-"


def read_flags(session: Session, trace_ids: Sequence[str] | None = None) -> list[Decision]:
    """Every evaluation, or those in some traces, by time and id; `record` says where it was."""
    found: dict[str, Decision] = {}
    low_ns, high_ns = read_range(session, trace_ids)
    chosen = {
        "trace_ids": None if trace_ids is None else list(trace_ids),
        "low_ns": low_ns,
        "high_ns": high_ns,
    }
    for row in ask(session, FLAGS, chosen).iter_rows(named=True):
        decision = _decision(row)
        found.setdefault(decision.decision_id, decision)
    return sorted(found.values(), key=lambda it: (it.time_ns, it.decision_id))


def read_flag(session: Session, decision_id: str) -> Decision | None:
    """The evaluation with this id; its trace is named in it, so no other is read."""
    trace_id = decision_id.removeprefix(ID_BEGIN).partition("/")[0]
    among = read_flags(session, None if trace_id == NO_ID else [trace_id])
    return next((it for it in among if it.decision_id == decision_id), None)


def variants(flags: Sequence[Decision]) -> dict[str, dict[str, str]]:
    """The variant of each flag in each flow; a flag with two variants in one flow has none."""
    seen: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for it in flags:
        told = it.record.get("feature_flags")
        if it.flow_id is not None and isinstance(told, dict):
            for flag in told:
                seen[it.flow_id][flag].add(it.chosen)
    return {
        flow_id: {flag: min(found) for flag, found in sorted(of.items()) if len(found) == 1}
        for flow_id, of in seen.items()
    }


def _decision(row: Mapping[str, str | int | None]) -> Decision:
    time_ns = row["time_ns"]
    assert isinstance(time_ns, int)
    flag, variant = str(row["flag"]), str(row["variant"])
    trace_id, span_id = _text(row["trace_id"]), _text(row["span_id"])
    decision_id = f"{ID_BEGIN}{trace_id or NO_ID}/{span_id or NO_ID}/{time_ns}/{flag}={variant}"
    record: dict[str, JsonValue] = {
        "schema": "retrospan.decision/1",
        "decision_id": decision_id,
        "kind": KIND,
        "time": _written(time_ns),
        "chosen": variant,
        "actor": {"service": row["service"]},
        "feature_flags": {flag: variant},
        "source": row["source"],
    }
    for name in ("reason", "provider", "context_id"):
        if row[name] is not None:
            record[name] = row[name]
    return Decision(
        decision_id=decision_id,
        time_ns=time_ns,
        chosen=variant,
        trace_id=trace_id,
        span_id=span_id,
        flow_id=_text(row["flow_id"]),
        record=record,
    )


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _written(time_ns: int) -> str:
    at = datetime.datetime.fromtimestamp(time_ns // 10**9, datetime.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{time_ns % 10**9:09d}Z"
