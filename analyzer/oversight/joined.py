"""One decision joined with its gate, its action and its effect.

An action is a step with an effect: compensatable, pivot or retriable. It belongs to the decision
that names its key (`action.step_key`), else to the only decision of the flow. Times of different
services are compared as they were recorded; `one_clock` says whether one service recorded both.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from analyzer.conventions import decimal_of
from store.conclusions import Flow, Step, StepOutcome
from store.decision_leaf import canonical
from store.model import Decision, JsonValue

EFFECT_ROLES = frozenset({"compensatable", "pivot", "retriable"})
PASSED = frozenset({"allow", "allowed", "modify", "modified"})
STOPPED = frozenset({"deny", "denied", "block"})
ESCALATED = frozenset({"escalate", "escalated", "review", "defer"})
APPROVED = frozenset({"approved", "approve", "accepted", "confirmed"})
PURGED = "retrospan.purged"
REDACTED = "[redacted:"
DATED_NS = 365 * 86_400 * 1_000_000_000
"""An earlier time is made up, by a reader of recordings that have none: it says only an order."""


class Gate(StrEnum):
    """When the gate judged, seen from the action."""

    BEFORE = "before"
    AFTER = "after"
    MISSING = "missing"
    UNTIMED = "untimed"
    NO_ACTION = "no_action"


class Payload(StrEnum):
    """Whether what was executed is what was decided, by its hash."""

    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A decision and what became of it.

    `acted` is whether it was carried out, None where that is not known; `named` whether its record
    names the action. `first_action` and `gate_step` are the steps it was joined with. `made_ns` is
    when it was made, `decision_ns` how long its own steps lie on the critical path of the flow,
    which took `flow_ns`. `steps` are those with an effect that it was joined with. `flags` are the
    variants of feature flags that were evaluated in its flow.
    """

    decision: Decision
    flow: Flow | None
    acted: bool | None
    named: bool
    gate: Gate
    gate_step: Step | None = None
    first_action: Step | None = None
    steps: Sequence[Step] = ()
    payload: Payload = Payload.UNKNOWN
    one_clock: bool = True
    decision_ns: int | None = None
    flags: Mapping[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """What the gate said, in lower case; "" where nothing is recorded of one."""
        return (self.decision.policy_outcome or _said(self.gate_step) or "").lower()

    @property
    def review(self) -> Mapping[str, JsonValue]:
        """What a person said about it; empty where nobody did."""
        review = self.decision.record.get("human_review")
        return review if isinstance(review, dict) else {}

    @property
    def record_action(self) -> Mapping[str, JsonValue]:
        """The action its record names; empty where it names none."""
        return _action(self.decision) or {}

    @property
    def reviewed(self) -> bool:
        return bool(self.review.get("outcome"))

    @property
    def permitted(self) -> bool | None:
        """Whether a gate let it pass or a person approved it; None where no gate is recorded."""
        if self.reviewed:
            return str(self.review["outcome"]).lower() in APPROVED
        return self.outcome in PASSED if self.outcome else None

    @property
    def flow_ns(self) -> int | None:
        """How long its flow took; None where it has not ended or its times are made up."""
        flow = self.flow
        if flow is None or flow.end_ns is None or flow.start_ns < DATED_NS:
            return None
        return flow.end_ns - flow.start_ns

    @property
    def dated(self) -> bool:
        """Whether it is known when it was made."""
        return self.decision.time_ns >= DATED_NS

    @property
    def confidence(self) -> float | None:
        value = decimal_of(self.decision.confidence)
        return None if value is None else float(value)

    @property
    def below_threshold(self) -> bool | None:
        confidence = decimal_of(self.decision.confidence)
        threshold = decimal_of(self.decision.threshold)
        return None if confidence is None or threshold is None else confidence < threshold


def joined(flow: Flow, decisions: Sequence[Decision]) -> list[Joined]:
    """Each decision of a flow, by time and id, with what became of it."""
    kept = [it for it in decisions if not it.record.get(PURGED)]
    ordered = sorted(kept, key=lambda it: (it.time_ns, it.decision_id))
    return [_joined(flow, decision, ordered) for decision in ordered]


def without_flow(decision: Decision) -> Joined:
    """A decision that belongs to no flow: what became of it is not known."""
    return Joined(
        decision=decision, flow=None, acted=None, named=_action(decision) is not None,
        gate=Gate.UNTIMED if decision.policy_outcome else Gate.NO_ACTION,
    )  # fmt: skip


def effects(flow: Flow) -> list[Step]:
    """The steps of a flow that change something outside, in the order they began."""
    found = [step for step in flow.steps if step.role in EFFECT_ROLES]
    return sorted(found, key=lambda step: (step.start_ns, step.step_id))


def _joined(flow: Flow, decision: Decision, among: Sequence[Decision]) -> Joined:
    own = _own_step(flow, decision)
    made_ns = decision.time_ns if own is None else own.start_ns
    gate = _gate_of(flow, decision, among)
    action = _action(decision)
    steps = _actions(flow, decision, among, made_ns)
    if action is None and _left_to_others(decision, gate):
        ended = gate.end_ns if gate is not None else None
        steps = [step for step in steps if ended is not None and step.start_ns < ended]
    acted = _acted(flow, decision, among, steps)
    first = steps[0] if steps and acted is not False else None
    return Joined(
        decision=decision,
        flow=flow,
        acted=acted,
        named=action is not None,
        gate=_timed(decision, gate, first),
        gate_step=gate,
        first_action=first,
        steps=steps if first is not None else (),
        payload=_payload(action, flow.steps, steps),
        one_clock=first is None or gate is None or first.service == gate.service,
        decision_ns=_on_critical_path(flow, [it for it in (own, gate) if it is not None]),
    )


def _action(decision: Decision) -> Mapping[str, JsonValue] | None:
    action = decision.record.get("action")
    if isinstance(action, dict) and (action.get("step_key") or action.get("request_sha256")):
        return action
    return None if decision.action_step_key is None else {"step_key": decision.action_step_key}


def _left_to_others(decision: Decision, gate: Step | None) -> bool:
    """Whether what came later was somebody else's doing: the gate did not let it pass."""
    said = (decision.policy_outcome or _said(gate) or "").lower()
    return said in STOPPED | ESCALATED


def _said(gate: Step | None) -> str | None:
    """The outcome a gate step's own answer tells."""
    for attempt in reversed(gate.attempts if gate is not None else ()):
        if isinstance(attempt.response, dict):
            outcome = attempt.response.get("outcome")
            return outcome if isinstance(outcome, str) else None
    return None


def _own_step(flow: Flow, decision: Decision) -> Step | None:
    """The step the decision was made in."""
    if decision.span_id is None:
        return None
    for step in flow.steps:
        for attempt in step.attempts:
            if decision.span_id in (attempt.span_id, attempt.callee_span_id):
                return step
    return None


def _gate_of(flow: Flow, decision: Decision, among: Sequence[Decision]) -> Step | None:
    """The first gate after the decision and before the next one was made."""
    own = _own_step(flow, decision)
    begun = decision.time_ns if own is None else own.start_ns
    if own is not None and own.kind == "gate":
        return own
    later = [_begun(flow, other) for other in among if other is not decision]
    until = min((at for at in later if at > begun), default=None)
    for step in sorted(flow.steps, key=lambda step: (step.start_ns, step.step_id)):
        if step.kind != "gate" or (len(among) > 1 and step.start_ns < begun):
            continue
        if until is None or step.start_ns < until:
            return step
    return None


def _begun(flow: Flow, decision: Decision) -> int:
    own = _own_step(flow, decision)
    return decision.time_ns if own is None else own.start_ns


def _actions(flow: Flow, decision: Decision, among: Sequence[Decision], made_ns: int) -> list[Step]:
    """The effects that are the decision's, as far as that can be told."""
    found = [step for step in effects(flow) if step.start_ns >= made_ns]
    action = _action(decision)
    key = action.get("step_key") if action is not None else None
    if key is not None:
        keyed = [step for step in found if step.key == key or step.saga_step == key]
        return keyed
    return found if len(among) == 1 else []


def _acted(
    flow: Flow, decision: Decision, among: Sequence[Decision], steps: Sequence[Step]
) -> bool | None:
    if any(step.outcome is not StepOutcome.UNKNOWN for step in steps):
        return True
    roles_told = any(step.role is not None for step in flow.steps)
    if _action(decision) is not None:
        return False if roles_told and flow.complete else None
    if "action" in decision.record or _left_to_others(decision, None):
        return False
    return False if roles_told and flow.complete and len(among) == 1 else None


def _timed(decision: Decision, gate: Step | None, action: Step | None) -> Gate:
    if action is None:
        return Gate.NO_ACTION
    if gate is None:
        return Gate.MISSING if decision.policy_outcome is None else Gate.UNTIMED
    if gate.end_ns is None:
        return Gate.UNTIMED
    return Gate.BEFORE if gate.end_ns <= action.start_ns else Gate.AFTER


def _payload(
    action: Mapping[str, JsonValue] | None, every: Sequence[Step], steps: Sequence[Step]
) -> Payload:
    """Whether some executed request has the hash the decision names.

    The hash is taken over JSON with sorted keys, as RFC 8785 or as Python writes it. A request that
    was not recorded, was cut, or bears a redaction token cannot be compared.
    """
    named = action.get("request_sha256") if action is not None else None
    if not isinstance(named, str) or not steps:
        return Payload.UNKNOWN
    keys = {step.key for step in steps}
    told = [
        attempt.request
        for step in every
        if step in steps or (step.key in keys and step.role in EFFECT_ROLES)
        for attempt in step.attempts
        if attempt.has_request
    ]
    if not told:
        return Payload.UNKNOWN
    if any(named.lower() in _digests(request) for request in told):
        return Payload.SAME
    unsure = len(told) < sum(len(step.attempts) for step in steps)
    unsure = unsure or any(not isinstance(request, dict | list) for request in told)
    unsure = unsure or any(REDACTED in str(request) for request in told)
    return Payload.UNKNOWN if unsure else Payload.DIFFERS


def _digests(request: JsonValue) -> set[str]:
    loose = json.dumps(request, sort_keys=True, separators=(",", ":"))
    return {
        hashlib.sha256(canonical(request)).hexdigest(),
        hashlib.sha256(loose.encode()).hexdigest(),
        hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest(),
    }


def _on_critical_path(flow: Flow, steps: Sequence[Step]) -> int | None:
    """How long these steps kept the flow waiting; None where its critical path is not known."""
    if not flow.critical_path or not steps:
        return None
    spans = {
        span_id
        for step in steps
        for attempt in step.attempts
        for span_id in (attempt.span_id, attempt.callee_span_id)
        if span_id is not None
    }
    return sum(it.self_ns for it in flow.critical_path if it.span_id in spans)
