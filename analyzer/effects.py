"""Effects of a flow's steps at their callees: how many there are, which stand, which are undone.

One effect may be seen in several attempts: a repeat with the same idempotency key, or an inquiry
that answers with the same external reference, is the same effect. Two effects are distinct when
their references differ, else when their keys differ, else when they are at different callees; when
none of this is recorded, nobody can tell.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.derive.ending import effective
from analyzer.derive.verbs import stems
from store.conclusions import Attempt, Evidence, Flow, Step, StepOutcome
from store.model import JsonValue

FORWARD_ROLES = frozenset({"compensatable", "pivot"})
WORDS_ALONE = 5
"""The grade of a role guessed from names."""
VALUES_MAX = 256


@dataclass(slots=True, kw_only=True)
class Effect:
    """One change made, or possibly made, outside.

    `certain` is False when nobody recorded whether it was made. `acknowledged` says that the caller
    was told of it. `undone_by` is the compensation that took it back.
    """

    step: Step
    attempts: list[Attempt]
    external_ref: str | None
    key: str | None
    certain: bool
    acknowledged: bool
    undone_by: Step | None = None

    @property
    def evidence(self) -> Evidence:
        """The span that shows the effect: the callee's where there is one."""
        attempt = next((it for it in self.attempts if it.took_effect), self.attempts[0])
        span_id = attempt.callee_span_id or attempt.span_id
        return Evidence(kind="span", trace_id=attempt.trace_id, span_id=span_id)

    @property
    def made_ns(self) -> int:
        """When the effect was first made, as near as was recorded."""
        made = [it for it in self.attempts if it.took_effect] or self.attempts
        return min(it.callee_end_ns or it.end_ns or it.start_ns for it in made)

    @property
    def label(self) -> str:
        """The effect in a sentence."""
        told = self.external_ref or (f"key {self.key}" if self.key else "no reference recorded")
        return f"{self.step.name} at {self.step.callee} ({told})"


def distinct(a: Effect, b: Effect) -> bool | None:
    """Whether two effects are two; None when nothing recorded tells."""
    elsewhere = a.step.callee != b.step.callee
    if a.external_ref is not None and b.external_ref is not None:
        return elsewhere or a.external_ref != b.external_ref
    if a.key is not None and b.key is not None:
        return elsewhere or a.key != b.key
    return True if elsewhere else None


def effects_of(step: Step) -> list[Effect]:
    """The effects of one step, one per reference or key."""
    effects: list[Effect] = []
    for attempt in step.attempts:
        if attempt.took_effect is False:
            continue
        found = Effect(
            step=step,
            attempts=[attempt],
            external_ref=attempt.external_ref,
            key=attempt.idempotency_key,
            certain=attempt.took_effect is True,
            acknowledged=attempt.outcome is StepOutcome.OK,
        )
        same = next((it for it in effects if _same_within_step(it, found)), None)
        if same is None:
            effects.append(found)
        else:
            _merge(same, found)
    return effects


def _same_within_step(a: Effect, b: Effect) -> bool:
    if a.key is not None and a.key == b.key:
        # A callee that made two effects under one key named both.
        return a.external_ref is None or b.external_ref is None or a.external_ref == b.external_ref
    return distinct(a, b) is False


def _merge(into: Effect, other: Effect) -> None:
    into.attempts += other.attempts
    into.external_ref = into.external_ref or other.external_ref
    into.key = into.key or other.key
    into.certain = into.certain or other.certain
    into.acknowledged = into.acknowledged or other.acknowledged


def surely_distinct(effects: Iterable[Effect]) -> list[Effect]:
    """Certain effects that are, each from all others, two; in the order they were made."""
    chosen: list[Effect] = []
    for effect in sorted(effects, key=lambda it: (it.made_ns, it.attempts[0].span_id)):
        if effect.certain and all(distinct(effect, other) is True for other in chosen):
            chosen.append(effect)
    return chosen


def forward_effects(flow: Flow) -> list[Effect]:
    """Effects of the steps a saga may have to undo, with what undid them.

    In a flow that declares no role, of every step that carries the marks of an effect.
    """
    guessed = all(step.role_grade in (None, WORDS_ALONE) for step in flow.steps)
    effects = [
        effect
        for step in flow.steps
        if step.role in FORWARD_ROLES or (guessed and step.role is None and marked(step))
        for effect in effects_of(step)
    ]
    told = {
        (step.callee, attempt.external_ref)
        for step in flow.steps
        for attempt in step.attempts
        if attempt.outcome is StepOutcome.OK and attempt.external_ref is not None
    }
    for effect in effects:
        if (effect.step.callee, effect.external_ref) in told:
            effect.acknowledged = True
    for compensation in flow.steps:
        if compensation.role == "compensation" and effective(compensation):
            _cover(compensation, effects)
    return effects


def _cover(compensation: Step, effects: Sequence[Effect]) -> None:
    """Mark the one effect this compensation undid, wherever it was seen."""
    own = [effect for effect in effects if effect.step.step_id == compensation.compensates]
    if not own:
        return
    named = mentioned(compensation)

    def fitness(effect: Effect) -> tuple[bool, bool, bool, bool]:
        return (
            effect.external_ref in named or effect.key in named,
            effect.undone_by is None,
            effect.acknowledged,
            effect.certain,
        )

    chosen = max(own, key=fitness)
    for effect in effects:
        if effect is chosen or distinct(effect, chosen) is False:
            effect.undone_by = effect.undone_by or compensation


def mentioned(step: Step) -> set[str]:
    """The step's key and every text in what it asked for."""
    found = {step.key}
    for attempt in step.attempts:
        queue: list[JsonValue] = [attempt.request]
        while queue and len(found) < VALUES_MAX:
            item = queue.pop()
            if isinstance(item, dict):
                queue.extend(item.values())
            elif isinstance(item, list):
                queue.extend(item[:VALUES_MAX])
            elif isinstance(item, str):
                found.add(item)
    return found


def marked(step: Step) -> bool:
    """Whether a step carries the marks of an effect a saga cares for, role or not."""
    if step.kind not in ("call", "message"):
        return False
    if step.saga_id or step.saga_step or step.resource or step.amount or step.currency:
        return True
    return any(it.external_ref is not None or it.idempotency_key for it in step.attempts)


def duplicates(effects: Sequence[Effect]) -> list[list[Effect]]:
    """Groups of two or more effects, sure or possible, that mean the same thing to the business."""
    groups: list[list[Effect]] = []
    for effect in effects:
        home = next((group for group in groups if same_meaning(group[0].step, effect.step)), None)
        if home is None:
            groups.append([effect])
        elif all(distinct(effect, other) is not False for other in home):
            home.append(effect)
    return [group for group in groups if len(group) > 1]


def same_meaning(one: Step, other: Step) -> bool:
    """Whether two steps do the same thing for the business."""
    if one.step_id == other.step_id:
        return True
    if one.resource is not None and other.resource is not None:
        return one.resource == other.resource and _same_verb(one, other)
    if one.callee == other.callee or not _same_verb(one, other) or one.key != other.key:
        return False
    # Without a resource: the same thing asked of another callee after the first one failed.
    first, second = sorted((one, other), key=lambda step: (step.start_ns, step.step_id))
    return first.outcome is not StepOutcome.OK and (first.end_ns or 0) <= second.start_ns


def _same_verb(one: Step, other: Step) -> bool:
    if one.operation == other.operation:
        return True
    if one.saga_step is not None and one.saga_step == other.saga_step:
        return True
    return bool(stems(one.operation)) and stems(one.operation) == stems(other.operation)
