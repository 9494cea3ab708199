"""Which steps are compensatable, which are compensations, and of what.

Every answer carries its grade: 1 explicit attributes, 2 span link, 3 declared by the user, 4 the
engine's naming, 5 words alone. Words alone are asked only in a flow that declares nothing, and only
after something failed: the same words mean ordinary business elsewhere.
"""

from collections.abc import Iterable, Sequence, Set

from analyzer.conventions import (
    ENGINE_ACTIVITY_PREFIX,
    LINK_KIND,
    SAGA_COMPENSATES,
    SAGA_ROLE,
    SAGA_ROLES,
    text,
)
from analyzer.derive.settings import DeriveSettings
from analyzer.derive.steps import Draft
from analyzer.derive.verbs import (
    ENGINE_COMPENSATION,
    UNDOING,
    engine_undoes,
    nouns,
    stems,
    undoes,
)
from store.conclusions import StepOutcome
from store.model import JsonValue

ID_CHARACTERS_MIN = 6
"""Shorter values are too common to tie an answer to a later request."""
VALUES_MAX = 256


def assign_roles(
    drafts: Sequence[Draft],
    settings: DeriveSettings,
    *,
    root_failed: bool,
    caught: Set[str] = frozenset(),
) -> None:
    """Set role, target and grades of every step that has them.

    `caught` are the ids of steps on a route that an engine took because of an error.
    """
    for draft in drafts:
        _explicit_role(draft)
    by_span = {span_id: draft for draft in drafts for span_id in _span_ids(draft)}
    ordered = sorted(drafts, key=lambda draft: (draft.start_ns, draft.step_id))
    for draft in ordered:
        _explicit_target(draft, ordered, by_span)
    for draft in ordered:
        if draft.compensates is None:
            _linked_target(draft, by_span)
    for draft in ordered:
        if draft.compensates is None:
            _named_target(draft, ordered, settings, caught)
    _same_by_name(ordered)
    for draft in ordered:
        if draft.role == "compensation" and draft.compensates is None:
            _paired_by_words(draft, ordered, role_grade=draft.role_grade or 5)
    if not any(draft.role for draft in drafts):
        _roles_from_words(ordered, root_failed=root_failed)


def _explicit_role(draft: Draft) -> None:
    for call in draft.calls:
        role = text(call.attributes, SAGA_ROLE)
        if role in SAGA_ROLES:
            draft.role, draft.role_grade = role, 1
            return
        if call.kind == "compensation":
            draft.role, draft.role_grade = "compensation", 1


def _span_ids(draft: Draft) -> Iterable[str]:
    for attempt in draft.attempts:
        yield attempt.span_id
        if attempt.callee_span_id is not None:
            yield attempt.callee_span_id


def _explicit_target(draft: Draft, ordered: Sequence[Draft], by_span: dict[str, Draft]) -> None:
    named = draft.said(SAGA_COMPENSATES)
    if named is None:
        return
    if draft.role is None:
        draft.role, draft.role_grade = "compensation", 1
    if draft.role != "compensation":
        return
    target = by_span.get(named)
    if target is None:
        target = _latest_execution(draft, [one for one in ordered if one.saga_step == named])
    if target is not None and target is not draft:
        _tie(draft, target, 1)


def _latest_execution(draft: Draft, candidates: Sequence[Draft]) -> Draft | None:
    """The latest execution not yet undone; one at the same callee, and a completed one, first."""
    earlier = [one for one in candidates if one.start_ns < draft.start_ns and one is not draft]
    if not earlier:
        return None

    def fitness(one: Draft) -> tuple[bool, bool, bool, bool, int, str]:
        return (
            one.undone_by is None,
            one.first.callee == draft.first.callee,
            draft.resource is None or one.resource == draft.resource,
            one.outcome is StepOutcome.OK,
            one.start_ns,
            one.step_id,
        )

    return max(earlier, key=fitness)


def _tie(compensation: Draft, target: Draft, grade: int) -> None:
    compensation.compensates, compensation.compensates_grade = target.step_id, grade
    if compensation.outcome is StepOutcome.OK:
        target.undone_by = compensation.step_id
    if target.role is None:
        target.role, target.role_grade = "compensatable", grade


def _linked_target(draft: Draft, by_span: dict[str, Draft]) -> None:
    undoing = draft.role == "compensation" or (
        draft.role is None and bool(stems(draft.first.operation) & UNDOING)
    )
    if not undoing:
        return
    for call in draft.calls:
        for link in call.span.links:
            if LINK_KIND in link.attributes:  # a reader's own, of how an engine got here
                continue
            target = by_span.get(link.span_id)
            if target is not None and target is not draft and target.start_ns < draft.start_ns:
                if draft.role is None:
                    draft.role, draft.role_grade = "compensation", 2
                _tie(draft, target, 2)
                return


def _named_target(
    draft: Draft, ordered: Sequence[Draft], settings: DeriveSettings, caught: Set[str]
) -> None:
    done = settings.compensated_by.get(draft.name) or settings.compensated_by.get(
        draft.first.operation
    )
    if done is not None and draft.role in (None, "compensation"):
        same = [one for one in ordered if done in (one.name, one.first.operation)]
        _take(draft, _latest_execution(draft, same), 3)
    elif draft.first.span.name.startswith(ENGINE_ACTIVITY_PREFIX):
        _engine_target(draft, ordered)
    elif draft.step_id in caught:
        _caught_target(draft, ordered)


def _undone_by_name(draft: Draft, ordered: Sequence[Draft]) -> list[Draft]:
    """Steps that an engine's name for this one says it undoes, the ones of the same noun alone."""
    name = draft.first.operation
    if draft.role not in (None, "compensation") or not ENGINE_COMPENSATION.search(name):
        return []
    same = [
        one
        for one in ordered
        if engine_undoes(name, one.first.operation) or undoes(name, one.first.operation)
    ]
    shared = {one.step_id: len(nouns(name) & nouns(one.first.operation)) for one in same}
    most = max(shared.values(), default=0)
    return [one for one in same if shared[one.step_id] == most]


def _caught_target(draft: Draft, ordered: Sequence[Draft]) -> None:
    """A state on a Catch route undoes what completed before it, if their names say so."""
    done = [
        one
        for one in _undone_by_name(draft, ordered)
        if one.outcome is StepOutcome.OK and one.end_ns is not None and one.end_ns <= draft.start_ns
    ]
    target = _latest_execution(draft, done)
    if target is not None:
        _take(draft, target, 4)


def _engine_target(draft: Draft, ordered: Sequence[Draft]) -> None:
    name = draft.first.operation
    if draft.role not in (None, "compensation") or not ENGINE_COMPENSATION.search(name):
        return
    same = _undone_by_name(draft, ordered)
    if draft.role is None and (same or engine_named(name)):
        draft.role, draft.role_grade = "compensation", 4
    _take(draft, _latest_execution(draft, same), 4)


def engine_named(name: str) -> bool:
    """Whether an activity's name says compensation, whatever it may undo."""
    return name.lower().endswith(("compensation", "rollback", "undo")) or name.lower().startswith(
        ("compensate", "undo", "rollback")
    )


def _same_by_name(ordered: Sequence[Draft]) -> None:
    """What an engine's name says of one execution holds for the others of the same operation."""
    named = {
        (one.first.callee, one.first.operation)
        for one in ordered
        if one.role == "compensatable" and one.role_grade == 4
    }
    for one in ordered:
        if one.role is None and (one.first.callee, one.first.operation) in named:
            one.role, one.role_grade = "compensatable", 4


def _take(draft: Draft, target: Draft | None, grade: int) -> None:
    if draft.role is None:
        draft.role, draft.role_grade = "compensation", grade
    if target is not None:
        _tie(draft, target, grade)


def _roles_from_words(ordered: Sequence[Draft], *, root_failed: bool) -> None:
    failed_at = min(
        (
            one.end_ns
            for one in ordered
            if one.outcome is not StepOutcome.OK and one.end_ns is not None
        ),
        default=None,
    )
    for draft in ordered:
        if not stems(draft.first.operation) & UNDOING and not draft.first.operation.startswith(
            "DELETE "
        ):
            continue
        if root_failed or (failed_at is not None and failed_at <= draft.start_ns):
            _paired_by_words(draft, ordered, role_grade=5)


def _paired_by_words(draft: Draft, ordered: Sequence[Draft], *, role_grade: int) -> None:
    words = draft.first.operation
    candidates = [
        one
        for one in ordered
        if one is not draft
        and one.role != "compensation"
        and one.end_ns is not None
        and one.end_ns <= draft.start_ns
        and one.first.callee == draft.first.callee
        and undoes(words, one.first.operation)
    ]
    asked = _asked(draft)
    shared = {one.step_id: len(_answers(one) & asked) for one in candidates}
    most = max(shared.values(), default=0)
    target = _latest_execution(draft, [one for one in candidates if shared[one.step_id] == most])
    if target is not None:
        if draft.role is None:
            draft.role, draft.role_grade = "compensation", role_grade
        _tie(draft, target, 5)


def _answers(draft: Draft) -> set[str]:
    return {value for attempt in draft.attempts for value in _ids(attempt.response)}


def _asked(draft: Draft) -> set[str]:
    asked = {value for attempt in draft.attempts for value in _ids(attempt.request)}
    return asked | set(draft.first.path_ids.split("/"))


def _ids(value: JsonValue) -> list[str]:
    found: list[str] = []
    queue: list[JsonValue] = [value]
    while queue and len(found) < VALUES_MAX:
        item = queue.pop()
        if isinstance(item, dict):
            queue.extend(item.values())
        elif isinstance(item, list):
            queue.extend(item[:VALUES_MAX])
        elif isinstance(item, str) and len(item) >= ID_CHARACTERS_MIN:
            found.append(item)
    return found
