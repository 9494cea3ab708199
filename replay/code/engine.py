"""Replays flows by running the code that made them, or a changed version of it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from replay.code.activities import activities_of
from replay.code.answering import Answering, Asked, UnlikeError
from replay.code.donors import Donors
from replay.code.effects import effects_told
from replay.code.process import Child
from replay.code.recorded import Recorded, refused
from replay.code.settings import Code, CodeSettings
from replay.code.transitions import Transitions
from replay.code.verdict import Judged, judge
from replay.code.what_if import Altered, claim_of, refuse, unread_of
from replay.digest import event_log_digest
from replay.exchange import exchanges_of
from replay.judge import unreplayable
from replay.match import RUNGS
from replay.noise import Noise
from replay.requests import Requests
from replay.scenario import Scenario
from store.conclusions import Flow, ReplayResult
from store.errors import DataError, NotFoundError
from store.model import JsonValue, Span

MODE = "code"
DEFAULTS = CodeSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A flow to replay: its spans, the usual delays of its kind, the callees that honour keys, and
    bodies that other flows of its kind can lend."""

    flow: Flow
    spans: Sequence[Span]
    usual: Transitions = field(default_factory=Transitions)
    honouring: frozenset[str] = frozenset()
    donors: Donors = field(default_factory=dict)


def replay_code(
    subjects: Sequence[Subject],
    code: Code,
    *,
    settings: CodeSettings = DEFAULTS,
    explore: int = 0,
    scenario: Scenario | None = None,
) -> Iterator[ReplayResult]:
    """Run the code on each flow; one child serves them all, in the order given.

    With `explore`, each flow runs so many times more, every time with another order of what is
    ready at one moment; runs that do something else are told as races. Under a `scenario` each
    flow runs unchanged first. Raises UsageError when the code cannot be imported, DataError when
    the scenario changes what only the code can.
    """
    if scenario is not None:
        refuse(scenario, _operations(subjects, settings))
    with Child(code) as child:
        for subject in subjects:
            yield _replay(subject, child, settings, explore, scenario)


def _operations(subjects: Sequence[Subject], settings: CodeSettings) -> set[str]:
    found: set[str] = set()
    for subject in subjects:
        with suppress(NotFoundError):
            found |= {it.op for it in _recorded(subject, settings).requests.exchanges}
    return found


def _replay(
    subject: Subject,
    child: Child,
    settings: CodeSettings,
    explore: int,
    scenario: Scenario | None,
) -> ReplayResult:
    flow = subject.flow
    name = None if scenario is None else scenario.name
    if flow.input is None:
        return _unreplayable(flow, "its input was not recorded (retrospan.flow.input)", name)
    try:
        recorded = _recorded(subject, settings)
        answering, end = _run(subject, recorded, child, settings)
        if "stopped" in end:
            return _unreplayable(flow, str(end["stopped"]), name)
        result = _result(subject, answering, end, child)
        if scenario is not None:
            return _what_if(subject, recorded, child, settings, scenario, result)
        races = [_run(subject, recorded, child, settings, seed) for seed in range(1, explore + 1)]
    except DataError as error:
        return _unreplayable(flow, str(error), name)
    told = _events(answering, end, times=False) if races else ()
    others = [seed for seed, it in enumerate(races, 1) if _events(*it, times=False) != told]
    if not others:
        return result
    flag = (
        f"race: {len(others)} of {explore} other orders of what was ready at one moment did "
        f"something else, the first with seed {others[0]}"
    )
    return replace(result, flags=(*result.flags, flag))


def _what_if(
    subject: Subject,
    recorded: Recorded,
    child: Child,
    settings: CodeSettings,
    scenario: Scenario,
    control: ReplayResult,
) -> ReplayResult:
    """Run once more under the scenario, if the unchanged run did what was recorded."""

    def named(result: ReplayResult, reason: str, claim: str | None = None) -> ReplayResult:
        return replace(
            result, scenario=scenario.name, control_verdict=control.verdict,
            control_digest=control.digest, claim=claim, reason=reason,
        )  # fmt: skip

    if control.verdict not in ("identical", "equivalent"):
        return named(control, "the control replay diverged, so no counterfactual is shown")
    exchanges = recorded.requests.exchanges
    altered = Altered(scenario, exchanges, recorded.attempts, subject.donors)
    answering, end = _run(subject, recorded, child, settings, altered=altered)
    if "stopped" in end:
        stopped = _unreplayable(subject.flow, "", scenario.name)
        return named(stopped, f"not identified: {end['stopped']}")
    result = _result(subject, answering, end, child)
    claim, reasons = claim_of(altered, result)
    unread = unread_of(altered, exchanges, result)
    result = replace(result, divergences=(*result.divergences, *unread))
    return named(result, "; ".join(it for it in (*reasons, result.reason) if it), claim)


def _recorded(subject: Subject, settings: CodeSettings) -> Recorded:
    """What went over the wire, and what activities gave; a call that an open breaker refused, or
    that an activity made, is no answer of its own."""
    flow, activities = subject.flow, activities_of(subject.flow, subject.spans)
    refused = {
        attempt.span_id
        for step in flow.steps
        for attempt in step.attempts
        if attempt.breaker_state == "open"
    }
    try:
        exchanges = exchanges_of(flow, subject.spans)
    except NotFoundError:
        if not activities.exchanges:
            raise
        exchanges = []
    left_out = refused | activities.inner
    sent = [it for it in exchanges if it.span_id not in left_out] + list(activities.exchanges)
    sent.sort(key=lambda it: (it.start_ns, it.span_id))
    return Recorded(
        flow,
        Requests(sent, Noise(configured=settings.noise), flow.input),
        activities.attempts,
        activities.running,
    )


def _run(
    subject: Subject,
    recorded: Recorded,
    child: Child,
    settings: CodeSettings,
    seed: int | None = None,
    altered: Altered | None = None,
    asking: bool = False,
) -> tuple[Answering, dict[str, Any]]:
    """Run the code once; with `asking` the child answers nothing itself."""
    flow = subject.flow
    # Each run takes its own answers.
    session = "what-if" if altered else "" if seed is None else f"order {seed}"
    if asking:
        session += " asking"
    answering = Answering(recorded, child.upstreams, settings, subject.usual, session, altered)
    message = {
        "flow_id": flow.flow_id,
        "input": flow.input,
        "epoch_ns": flow.start_ns,
        "draws": list(flow.draws),
        "seed": flow.flow_id,
        "steps_max": settings.steps_max,
        "breakers": _breakers(flow),
        "order_seed": seed,
        "debug": child.code.debug,
        "refusing": any(refused(it) for it in recorded.requests.exchanges),
        "handed": {} if asking else answering.handed(),
    }
    try:
        end = child.run(message, answering.answer, settings.wall_s_max)
        answering.taken(end.get("taken", ()))
    except UnlikeError:
        return _run(subject, recorded, child, settings, seed, altered, asking=True)
    answering.noted(end.get("notes", ()))
    return answering, end


def _breakers(flow: Flow) -> dict[str, list[str]]:
    """The recorded breaker states of each operation, in the order they were met."""
    met: dict[str, list[tuple[int, str]]] = {}
    for step in flow.steps:
        for attempt in step.attempts:
            if step.service == flow.service and attempt.breaker_state is not None:
                operation = f"{step.callee} {step.operation}"
                met.setdefault(operation, []).append((attempt.start_ns, attempt.breaker_state))
    return {name: [state for _, state in sorted(states)] for name, states in sorted(met.items())}


def _result(
    subject: Subject, answering: Answering, end: Mapping[str, Any], child: Child
) -> ReplayResult:
    flow, judged = subject.flow, judge(answering, end)
    events = _events(answering, end, times=True)
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
        flags=tuple(_flags(answering, end, child)),
        divergences=judged.divergences,
        answers=_counts(answering.asked),
        reason=effects_told(answering, subject.honouring),
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


def _events(
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


def _unreplayable(flow: Flow, reason: str, scenario: str | None = None) -> ReplayResult:
    return unreplayable(flow.flow_id, reason, scenario, mode=MODE, leave_one_out=False)
