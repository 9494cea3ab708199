"""What a run of the code is told as: its result, its canonical log of events, its flags."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from replay.code.answering import Answering
from replay.code.asked import Asked
from replay.code.effects import effects_told
from replay.code.process import Child
from replay.code.verdict import GAVE_UP, Judged, judge
from replay.digest import event_log_digest
from replay.judge import unreplayable
from replay.match import RUNGS
from store.conclusions import Flow, ReplayResult
from store.model import JsonValue

MODE = "code"


def result_of(
    answering: Answering, end: Mapping[str, Any], child: Child, honouring: frozenset[str]
) -> ReplayResult:
    """The result of a finished run; `honouring` are the operations observed to honour keys."""
    flow, judged = answering.recorded.flow, judge(answering, end)
    events = events_of(answering, end, times=True)
    duration_ns = int(end["at_ns"])
    return ReplayResult(
        flow_id=flow.flow_id,
        mode=MODE,
        verdict=judged.verdict,
        digest=event_log_digest(events),
        outcome=_outcome(flow, judged, end),
        virtual_duration_ns=duration_ns,
        virtual_low_ns=duration_ns,
        virtual_high_ns=duration_ns,
        program_digest=child.sources,
        program_flows=0,
        leave_one_out=False,
        flags=(*_flags(answering, end, child), *_held_up(answering)),
        divergences=judged.divergences,
        answers=_counts(answering.asked),
        reason="; ".join(_reasons(answering, judged, honouring)),
        events=events,
    )


def _outcome(flow: Flow, judged: Judged, end: Mapping[str, Any]) -> str:
    """As recorded where nothing shows otherwise; failed by an exception; else not known."""
    if "error" in end:
        return "failed"
    results = ("result_changed", "exception_changed", "missing_call", "extra_call")
    changed = any(it.kind in results for it in judged.divergences)
    return "unknown" if changed else flow.outcome.value


def _counts(asked: Sequence[Asked]) -> dict[str, int]:
    counts = dict.fromkeys((*RUNGS, "ambiguous"), 0)
    for it in asked:
        if it.match.rung in counts:
            counts[it.match.rung] += 1
            counts["ambiguous"] += bool(it.match.ambiguous)
    return counts


def _flags(answering: Answering, end: Mapping[str, Any], child: Child) -> Iterator[str]:
    for it in answering.asked:
        if it.match.ambiguous and it.exchange is not None:
            yield f"ambiguous {it.exchange.op}: {it.match.ambiguous}"
    for what, where in sorted(end.get("reported", {}).items()):
        yield f"{what} ({where})" if where else str(what)
    for name in child.native:
        yield f"unguarded {name}: it can reach the network past Python"
    if answering.telemetry:
        yield f"telemetry: {answering.telemetry} exports were taken and dropped"


def _held_up(answering: Answering) -> Iterator[str]:
    """Where the recorded process took longer than the code under test without waiting."""
    for it in answering.asked:
        if it.own_time and it.exchange is not None:
            spent = f"{it.gap_ns / 1e6:.0f} ms before {it.exchange.op}"
            yield f"held up: {spent} in which the recorded code had asked for no wait"
        overdue_ns = answering.overdue_ns(it) if it.how in GAVE_UP else 0
        if overdue_ns > answering.settings.gap_max_ns and it.exchange is not None:
            yield f"held up: {overdue_ns / 1e6:.0f} ms beyond the limit of {it.exchange.op}"


def _reasons(answering: Answering, judged: Judged, honouring: frozenset[str]) -> Iterator[str]:
    effects = effects_told(answering, honouring)
    if effects:
        yield effects
    slower = any(it.kind == "timing_changed" for it in judged.divergences)
    if judged.verdict == "equivalent" and slower and answering.recorded.waits is None:
        yield (
            "the recorded process was slower there than in other flows; that the code did not wait "
            "is not recorded (Recorder.timers() of retrospan-child records waits)"
        )


def events_of(
    answering: Answering, end: Mapping[str, Any], *, times: bool
) -> tuple[dict[str, JsonValue], ...]:
    """The canonical log of a run; without times, sorted, it says what was done and not when."""
    events: list[dict[str, JsonValue]] = []
    for it in answering.asked:
        event: dict[str, JsonValue] = {
            "request": f"{it.request.callee} {it.request.method} {it.request.path}",
            "body_sha256": hashlib.sha256(it.request.body).hexdigest(),
            "key": it.request.headers.get("idempotency-key", ""),
            "rung": it.match.rung,
            "step_id": "" if it.exchange is None else it.exchange.step_id,
            "how": it.how,
        }
        if times:
            event |= {"at_ns": it.sent_ns, "ended_ns": it.ended_ns}
        events.append(event)
    error = end.get("error")
    ending: dict[str, JsonValue] = {
        "end": None if error is None else error["message"],
        "output": end.get("output"),
    }
    if times:
        return (*events, {**ending, "at_ns": int(end["at_ns"])})
    return (*sorted(events, key=repr), ending)


def unreplayable_of(flow: Flow, reason: str, scenario: str | None = None) -> ReplayResult:
    """The result where nothing could be run, and why."""
    return unreplayable(flow.flow_id, reason, scenario, mode=MODE, leave_one_out=False)
