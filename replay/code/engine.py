"""Replays flows by running the code that made them, or a changed version of it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from replay.code.activities import activities_of
from replay.code.answering import Answering, UnlikeError
from replay.code.donors import Donors
from replay.code.process import Child
from replay.code.recorded import Recorded, refused, waits_of
from replay.code.results import events_of, result_of, unreplayable_of
from replay.code.settings import Code, CodeSettings
from replay.code.transitions import Transitions
from replay.code.what_if import Altered, claim_of, refuse, unread_of
from replay.exchange import exchanges_of
from replay.noise import Noise
from replay.requests import Requests
from replay.scenario import Scenario
from store.conclusions import Flow, ReplayResult
from store.errors import DataError, NotFoundError
from store.model import Span

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
        return unreplayable_of(flow, "its input was not recorded (retrospan.flow.input)", name)
    try:
        recorded = _recorded(subject, settings)
        answering, end = _run(subject, recorded, child, settings)
        if "stopped" in end:
            return unreplayable_of(flow, str(end["stopped"]), name)
        result = result_of(answering, end, child, subject.honouring)
        if scenario is not None:
            return _what_if(subject, recorded, child, settings, scenario, result)
        races = [_run(subject, recorded, child, settings, seed) for seed in range(1, explore + 1)]
    except DataError as error:
        return unreplayable_of(flow, str(error), name)
    told = events_of(answering, end, times=False) if races else ()
    others = [seed for seed, it in enumerate(races, 1) if events_of(*it, times=False) != told]
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
        stopped = unreplayable_of(subject.flow, "", scenario.name)
        return named(stopped, f"not identified: {end['stopped']}")
    result = result_of(answering, end, child, subject.honouring)
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
        waits_of(flow, subject.spans),
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
        "limited": altered is not None and bool(altered.limits),
        "handed": {} if asking else answering.handed(),
    }
    try:
        end = child.run(message, answering.answer, settings.wall_s_max)
        answering.waits += end.get("waits", ())
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
