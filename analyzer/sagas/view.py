"""What the checks ask of a flow, worked out once."""

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from analyzer.derive.ending import completed, effective
from analyzer.derive.verbs import UNDOABLE, UNDOING, stems, undoes
from analyzer.effects import WORDS_ALONE, Effect, effects_of, forward_effects, marked
from analyzer.sagas.coverage import Coverage
from store.conclusions import Flow, FlowOutcome, Step, Verdict

ABORTED = frozenset(
    {
        FlowOutcome.FAILED,
        FlowOutcome.COMPENSATED,
        FlowOutcome.PARTIALLY_COMPENSATED,
        FlowOutcome.COMPENSATION_FAILED,
    }
)
ROLE_ATTRIBUTES = ("retrospan.saga.role", "retrospan.saga.compensates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Why a step that was not seen may still have been there."""

    verdict: Verdict
    reason: str
    missing: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class SagaView:
    """A flow as a saga."""

    flow: Flow
    coverage: Coverage

    @property
    def aborted(self) -> bool:
        """Whether the flow is known to have been given up."""
        return self.flow.outcome in ABORTED

    @cached_property
    def by_id(self) -> dict[str, Step]:
        """Steps by id."""
        return {step.step_id: step for step in self.flow.steps}

    @cached_property
    def compensations(self) -> list[Step]:
        """Compensation steps in start order."""
        found = [step for step in self.flow.steps if step.role == "compensation"]
        return sorted(found, key=lambda step: (step.start_ns, step.step_id))

    @cached_property
    def to_undo(self) -> list[Step]:
        """Compensatable steps that completed for their caller."""
        return [
            step for step in self.flow.steps if step.role == "compensatable" and completed(step)
        ]

    @cached_property
    def compensations_of(self) -> dict[str, list[Step]]:
        """The compensations that ran for each step."""
        found: dict[str, list[Step]] = defaultdict(list)
        for step in self.compensations:
            if step.compensates is not None:
                found[step.compensates].append(step)
        return dict(found)

    @cached_property
    def untied(self) -> list[Step]:
        """Compensations of which nothing says what they undo."""
        return [step for step in self.compensations if step.compensates is None]

    @cached_property
    def effects(self) -> list[Effect]:
        """Forward effects and what undid them."""
        return forward_effects(self.flow)

    @cached_property
    def words_alone(self) -> bool:
        """Whether any role or tie of this flow is known from names only."""
        return any(
            WORDS_ALONE in (step.role_grade, step.compensates_grade) for step in self.flow.steps
        )

    @property
    def roles(self) -> bool:
        """Whether any step has a role."""
        return any(step.role is not None for step in self.flow.steps)

    @cached_property
    def unnamed(self) -> list[Step]:
        """Steps with an effect and the marks of a saga, or only its words, but without a role."""
        return [
            step
            for step in self.flow.steps
            if step.role is None
            and any(attempt.took_effect is not False for attempt in step.attempts)
            and (marked(step) or self._reads_undoable(step))
        ]

    @cached_property
    def _told(self) -> Set[tuple[str, str]]:
        """Callees with the operations, and with the words, of their steps that have a role."""
        told = [step for step in self.flow.steps if step.role is not None]
        words = {(step.callee, stem) for step in told for stem in stems(step.operation)}
        return words | {(step.callee, step.operation) for step in told}

    def _reads_undoable(self, step: Step) -> bool:
        """Whether its words alone make a step one to undo.

        They do not beside a step of the same callee that has a role and uses them in another
        operation: an inquiry about a charge is not another charge.
        """
        words = stems(step.operation) & UNDOABLE
        if step.kind not in ("call", "message") or not words:
            return False
        if (step.callee, step.operation) in self._told:
            return True
        return not any((step.callee, stem) in self._told for stem in stems(step.operation))

    @cached_property
    def perhaps_compensations(self) -> list[Step]:
        """Steps without a role that may have been compensations, for all that was recorded."""
        if not self.roles:
            return [step for step in self.unnamed if marked(step)]
        first = min((step.start_ns for step in self.compensations), default=None)
        return [
            step
            for step in self.flow.steps
            if step.role is None
            and step.kind in ("call", "message")
            and (
                bool(stems(step.operation) & UNDOING)
                or step.operation.startswith("DELETE ")
                or (first is not None and step.start_ns >= first and marked(step))
            )
        ]

    def like_compensations_of(self, step: Step) -> list[Step]:
        """Steps without a role that read as if they undid this one."""
        return [
            other
            for other in self.flow.steps
            if other.role is None
            and other.callee == step.callee
            and other.start_ns >= (step.end_ns if step.end_ns is not None else step.start_ns)
            and undoes(other.operation, step.operation)
        ]

    def tried_again(self, step: Step) -> Step | None:
        """A later step that went well and may be a try of this failed one, for all it says."""
        for other in self.flow.steps:
            if (other.callee, other.operation) != (step.callee, step.operation):
                continue
            last_ns = max(attempt.start_ns for attempt in other.attempts)
            if not effective(other) or step.end_ns is None or last_ns < step.end_ns:
                continue
            if _agree(other.key, step.key) and _agree(other.role, step.role):
                return other
        return None

    def undone(self, step: Step) -> bool:
        """Whether a compensation of the step did its work."""
        return any(effective(one) for one in self.compensations_of.get(step.step_id, ()))

    @cached_property
    def absence(self) -> Absence | None:
        """None when a step that is not seen was not there, else what hinders to say so."""
        flow, coverage = self.flow, self.coverage
        if flow.end_ns is None:
            return Absence(verdict=Verdict.OPEN, reason="the flow has not ended", missing=())
        if coverage.unknown_sampling:
            return Absence(
                verdict=Verdict.UNKNOWN,
                reason="the data is sampled in an unknown way",
                missing=("unsampled spans",),
            )
        if not flow.complete:
            return Absence(
                verdict=Verdict.UNKNOWN,
                reason="spans of this flow are missing or unfinished",
                missing=[gap for gap in flow.evidence_gaps if "span" in gap] or ["spans"],
            )
        needed = flow.end_ns + coverage.grace_ns
        known = coverage.services.get(flow.service)
        if known is not None and known.last_ns >= needed:
            return None
        if known is not None and coverage.data_end_ns < needed:
            return Absence(
                verdict=Verdict.OPEN, reason="the data ends before the answer", missing=()
            )
        return Absence(
            verdict=Verdict.UNKNOWN,
            reason=f"no data of {flow.service} after the end of the flow",
            missing=(f"spans of {flow.service} after the flow's end",),
        )


def compensation_effects(steps: Sequence[Step]) -> list[Effect]:
    """All effects of several compensations."""
    return [effect for step in steps for effect in effects_of(step)]


def attempts_of_one(step: Step) -> bool:
    """Whether more than place and operation says that the step's attempts are of one step."""
    if step.key or len(step.attempts) == 1:
        return True
    first = step.attempts[0]
    requests = first.has_request and all(
        it.has_request and it.request == first.request for it in step.attempts
    )
    keys = {attempt.idempotency_key for attempt in step.attempts}
    return requests or (len(keys) == 1 and None not in keys)


def _agree(one: str | None, other: str | None) -> bool:
    """Whether two names are the same, or one of them was not recorded."""
    return not one or not other or one == other


def same_saga(one: Step, other: Step) -> bool | None:
    """Whether two steps are of one saga; None when nothing recorded says so.

    By their saga ids; without any, by whether they ran inside the same call, as the steps of a
    nested saga do.
    """
    if one.saga_id is not None and other.saga_id is not None:
        return one.saga_id == other.saga_id
    if one.saga_id is None and other.saga_id is None and one.parent_step_id == other.parent_step_id:
        return True
    return None
