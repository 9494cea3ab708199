"""How a flow ended for the business.

The flow's own word comes first (`status` in its output), then what its root span says, then the
compensations that ran. A handled inner error is not a failed flow.
"""

from collections.abc import Mapping, Sequence

from analyzer.conventions import FLOW_OUTCOME, HTTP_STATUS, integer, text
from analyzer.derive.outcomes import ending_of
from analyzer.derive.settings import DeriveSettings
from store.conclusions import FlowOutcome, Step, StepOutcome
from store.model import JsonValue, Span


def said_aborted(
    root: Span | None, output: JsonValue, settings: DeriveSettings, *, asynchronous: bool = False
) -> bool | None:
    """Whether the flow itself says it was aborted; None when it does not say.

    An `asynchronous` flow goes on after its root: that the root went well says nothing of the rest.
    """
    if root is None or root.end_ns is None:
        return None
    for word in (status_word(output), text(root.attributes, FLOW_OUTCOME)):
        if word is None:
            continue
        plain = word.strip().lower().replace("-", "_").replace(" ", "_")
        if plain in settings.abort_words:
            return True
        if plain in settings.success_words:
            return False
    if ending_of(root).outcome is not StepOutcome.OK:
        return True
    if asynchronous:
        return None
    if root.status == "ok" or integer(root.attributes, *HTTP_STATUS) is not None:
        return False
    return None


def status_word(output: JsonValue) -> str | None:
    """The word in a flow's output that says how it ended."""
    if isinstance(output, str):
        return output
    if not isinstance(output, dict):
        return None
    for name in ("status", "outcome", "state", "result"):
        value = output.get(name)
        if isinstance(value, str):
            return value
    return None


def flow_outcome(root: Span | None, said: bool | None, steps: Sequence[Step]) -> FlowOutcome:
    """The outcome, from the flow's own word and what was undone."""
    if root is None:
        return FlowOutcome.UNKNOWN
    if root.end_ns is None:
        return FlowOutcome.IN_PROGRESS
    compensations = [step for step in steps if step.role == "compensation"]
    if said is None:
        if compensations:
            said = True
        elif any(step.outcome is not StepOutcome.OK or _unheard(step) for step in steps):
            return FlowOutcome.UNKNOWN
    if not said:
        return FlowOutcome.SUCCEEDED
    return _undone(steps, compensations)


def _unheard(step: Step) -> bool:
    """Whether a message was sent and nobody worked on it with success."""
    return step.kind == "message" and not any(
        attempt.callee_outcome in (None, StepOutcome.OK) for attempt in step.attempts
    )


def _undone(steps: Sequence[Step], compensations: Sequence[Step]) -> FlowOutcome:
    to_undo = [step for step in steps if step.role == "compensatable" and completed(step)]
    undone = {step.compensates for step in compensations if completed(step)}
    # A later compensation that completed makes good for an earlier one of the same step.
    if any(not completed(step) and step.compensates not in undone for step in compensations):
        return FlowOutcome.COMPENSATION_FAILED
    if any(step.step_id not in undone for step in to_undo):
        return FlowOutcome.PARTIALLY_COMPENSATED
    if to_undo or compensations:
        return FlowOutcome.COMPENSATED
    return FlowOutcome.FAILED


def completed(step: Step) -> bool:
    """Whether the step completed as its caller saw it."""
    return step.outcome is StepOutcome.OK


def effective(step: Step) -> bool:
    """Whether a compensation did its work: for its caller, or as the callee's data shows."""
    return completed(step) or any(attempt.took_effect is True for attempt in step.attempts)


def by_id(steps: Sequence[Step]) -> Mapping[str, Step]:
    """Steps by their id."""
    return {step.step_id: step for step in steps}
