"""One flow as a person reads it: what ran, what went wrong, what is left standing."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from retrospan.listing import Column, Row
from retrospan.text import visible
from retrospan.timespan import humane, utc
from store.conclusions import (
    Attempt,
    Finding,
    Flow,
    SagaVerdict,
    Step,
    StepOutcome,
    Verdict,
)
from store.read import ClockSkew

SAMPLED = {
    "all": "none, as recorded",
    "assumed_all": "none told of, so taken as complete",
    "weighted": "by a recorded probability",
    "unknown": "unknown: absences and rates prove nothing",
}
TOLD = (Verdict.VIOLATION, Verdict.SUSPECTED, Verdict.UNKNOWN, Verdict.OPEN)


def head(flow: Flow) -> list[str]:
    """The facts above the steps."""
    length = None if flow.end_ns is None else flow.end_ns - flow.start_ns
    return [
        f"flow          {visible(flow.flow_id)}",
        f"name          {visible(flow.name)} {visible(flow.version)}",
        f"outcome       {flow.outcome.value}",
        f"start (UTC)   {utc(flow.start_ns)}",
        f"duration      {humane(length)}",
        f"traces        {' '.join(map(visible, flow.trace_ids))}",
        *_tied(flow),
        f"services      {', '.join(map(visible, flow.services))}",
        f"decisions     {', '.join(map(visible, flow.decision_ids)) or '–'}",
        f"architecture  {visible(flow.architecture)}",
        f"variant       {visible(flow.variant)}",
        f"replayability {visible(flow.replayability)}",
        f"sampling      {SAMPLED.get(flow.sampling, flow.sampling)}"
        + (f" (stands for {flow.sampling_weight} flows)" if flow.sampling == "weighted" else ""),
        *(f"not recorded  {visible(gap)}" for gap in flow.evidence_gaps),
    ]


def _tied(flow: Flow) -> Iterator[str]:
    """Why several traces are one flow; messages are counted, there are many."""
    messages = [tie for tie in flow.ties if tie.startswith("message ")]
    others = [tie for tie in flow.ties if not tie.startswith("message ")]
    if messages:
        others.append(f"{len(messages)} messages" if len(messages) > 1 else messages[0])
    if len(flow.trace_ids) > 1:
        yield f"tied by       {', '.join(map(visible, others))}"


def clocks(flow: Flow, skew: Sequence[ClockSkew]) -> Iterator[str]:
    """Services of the flow whose clocks disagree, so that times of one mean less to the other."""
    for one in skew:
        if one.certain and one.caller in flow.services and one.callee in flow.services:
            ahead = "ahead of" if one.offset_ns > 0 else "behind"
            yield (
                f"clocks        {visible(one.callee)} is about {humane(abs(one.offset_ns))} "
                f"{ahead} {visible(one.caller)} (median of {one.calls} calls)"
            )


def step_rows(flow: Flow) -> list[Row]:
    """One row per step, times from the start of the flow, attempts by how they ended."""
    names = {step.step_id: _named(step) for step in flow.steps}
    return [
        {
            "after_ns": step.start_ns - flow.start_ns,
            "length_ns": None if step.end_ns is None else step.end_ns - step.start_ns,
            "step": step.name,
            "key": step.key,
            "callee": step.callee or step.service,
            "role": step.role or step.kind,
            "outcome": step.outcome.value,
            "attempts": attempts_text(step),
            "undoes": names.get(step.compensates or "", step.compensates),
        }
        for step in flow.steps
    ]


def _named(step: Step) -> str:
    return f"{step.name} {step.key}".strip()


def attempts_text(step: Step) -> str:
    """`timeout ×2, ok`: the attempts in order; where the callee says otherwise, that is told."""
    words = [_attempt_text(attempt) for attempt in step.attempts]
    parts = []
    for word, run in groupby(words):
        times = sum(1 for _ in run)
        parts.append(word if times == 1 else f"{word} ×{times}")
    return ", ".join(parts)


def _attempt_text(attempt: Attempt) -> str:
    if attempt.status != "ok":
        return f"{attempt.status} (took effect)" if attempt.took_effect else attempt.status
    if attempt.callee_outcome in (None, StepOutcome.OK, StepOutcome.UNKNOWN):
        return attempt.status
    return f"{attempt.status} (there: {attempt.callee_outcome.value})"


def _duration(row: Row, name: str) -> str:
    value = row[name]
    return str(humane(value if isinstance(value, int) else None))


def _text(header: str, name: str) -> Column:
    return Column(header=header, show=lambda row: row[name])


STEP_COLUMNS = (
    Column(header="after", show=lambda row: _duration(row, "after_ns"), right=True),
    Column(header="took", show=lambda row: _duration(row, "length_ns"), right=True),
    _text("step", "step"),
    _text("key", "key"),
    _text("callee", "callee"),
    _text("role or kind", "role"),
    _text("outcome", "outcome"),
    _text("attempts", "attempts"),
    _text("undoes", "undoes"),
)


def judgement(sagas: Sequence[SagaVerdict], findings: Sequence[Finding]) -> Iterator[str]:
    """What the checks and detectors say, worst first as they come; nothing wrong is said too."""
    for saga in sagas:
        yield f"saga          {visible(saga.saga_id)}: {saga.verdict.value}"
        for check in saga.checks:
            if check.verdict in TOLD:
                missing = f" (missing: {', '.join(check.missing)})" if check.missing else ""
                message = visible(check.message + missing)
                yield f"  {check.check:<4} {check.verdict.value:<10} {message}"
        for effect in saga.residual_effects:
            money = f" {effect.amount} {effect.currency or ''}".rstrip() if effect.amount else ""
            reference = effect.external_ref or effect.idempotency_key or "no reference recorded"
            yield visible(f"  left standing: {effect.step} at {effect.callee}{money}, {reference}")
    for finding in findings:
        yield (
            f"finding       {finding.severity} {visible(finding.detector)}: "
            f"{visible(finding.message)}"
        )
