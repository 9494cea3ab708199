"""Grouped attempts become steps with stable ids."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.conventions import (
    BACKOFF_COEFFICIENT,
    BACKOFF_INITIAL_MS,
    MAX_ATTEMPTS,
    SAGA_AMOUNT,
    SAGA_CURRENCY,
    SAGA_ID,
    SAGA_RESOURCE,
    SAGA_STEP,
    SpanKey,
    decimal,
    decimal_of,
    integer,
    key_of,
    text,
)
from analyzer.derive.attempts import attempt_of
from analyzer.derive.calls import Call, grouped
from store.conclusions import Attempt, Step, StepOutcome


@dataclass(slots=True, kw_only=True)
class Draft:
    """A step before its saga role is known."""

    step_id: str
    key: str
    name: str
    outcome: StepOutcome
    start_ns: int
    end_ns: int | None
    calls: Sequence[Call]
    attempts: Sequence[Attempt]
    parent_step_id: str | None = None
    role: str | None = None
    role_grade: int | None = None
    compensates: str | None = None
    compensates_grade: int | None = None
    undone_by: str | None = None

    @property
    def first(self) -> Call:
        """The first attempt."""
        return self.calls[0]

    @property
    def saga_step(self) -> str | None:
        """The step's name in its saga."""
        return self.said(SAGA_STEP)

    @property
    def resource(self) -> str | None:
        """What the step acts on."""
        return self.said(SAGA_RESOURCE)

    def said(self, name: str) -> str | None:
        """The first text any attempt, else any attempt's callee, recorded under a name."""
        for call in self.calls:
            found = text(call.attributes, name)
            if found is not None:
                return found
        for call in self.calls:
            if call.callee_span is not None:
                found = text(call.callee_span.attributes, name)
                if found is not None:
                    return found
        return None


def drafts_of(flow_id: str, calls: Sequence[Call]) -> list[Draft]:
    """Steps in start order, without roles."""
    chains = grouped(calls)
    keys = _keys(chains)
    ordinals: Counter[tuple[str, str, str]] = Counter()
    drafts: list[Draft] = []
    homes: dict[SpanKey, str] = {}
    for chain, key in zip(chains, keys, strict=True):
        first = chain[0]
        identity = (first.callee, first.operation, key)
        step_id = _step_id(flow_id, *identity, ordinals[identity])
        ordinals[identity] += 1
        drafts.append(_draft(step_id, key, chain))
        homes.update((key_of(call.span), step_id) for call in chain)
    for draft in drafts:
        inside = draft.first.inside
        draft.parent_step_id = homes.get(inside) if inside is not None else None
    return drafts


def _keys(chains: Sequence[Sequence[Call]]) -> list[str]:
    """The declared key; ids of the path where only they tell instances of an operation apart."""
    places = Counter((chain[0].callee, chain[0].operation, chain[0].key) for chain in chains)
    keys = []
    for chain in chains:
        first = chain[0]
        several = places[(first.callee, first.operation, first.key)] > 1
        keys.append(first.key or (first.path_ids if several else ""))
    return keys


def _step_id(flow_id: str, callee: str, operation: str, key: str, ordinal: int) -> str:
    written = "\x1f".join((flow_id, callee, operation, key, str(ordinal)))
    return f"st_{hashlib.sha256(written.encode()).hexdigest()[:20]}"


def _draft(step_id: str, key: str, chain: Sequence[Call]) -> Draft:
    attempts = [attempt_of(call) for call in chain]
    last = attempts[-1]
    ended = [attempt for attempt in attempts if attempt.outcome is StepOutcome.OK]
    ends = [attempt.end_ns for attempt in attempts if attempt.end_ns is not None]
    draft = Draft(
        step_id=step_id,
        key=key,
        name=chain[0].operation,
        outcome=StepOutcome.OK if ended else last.outcome,
        start_ns=min(attempt.start_ns for attempt in attempts),
        end_ns=max(ends) if len(ends) == len(attempts) else None,
        calls=chain,
        attempts=attempts,
    )
    draft.name = draft.saga_step or draft.name
    return draft


def step_of(draft: Draft) -> Step:
    """The finished step."""
    first = draft.first
    return Step(
        step_id=draft.step_id,
        key=draft.key,
        name=draft.name,
        kind="compensation" if draft.role == "compensation" else first.kind,
        service=first.span.service,
        callee=first.callee,
        operation=first.operation,
        outcome=draft.outcome,
        start_ns=draft.start_ns,
        end_ns=draft.end_ns,
        attempts=draft.attempts,
        parent_step_id=draft.parent_step_id,
        saga_id=draft.said(SAGA_ID),
        saga_step=draft.saga_step,
        role=draft.role,
        role_grade=draft.role_grade,
        compensates=draft.compensates,
        compensates_grade=draft.compensates_grade,
        resource=draft.resource,
        amount=decimal_of(draft.said(SAGA_AMOUNT)),
        currency=draft.said(SAGA_CURRENCY),
        max_attempts=integer(first.attributes, MAX_ATTEMPTS),
        backoff_initial_ms=integer(first.attributes, BACKOFF_INITIAL_MS),
        backoff_coefficient=decimal(first.attributes, BACKOFF_COEFFICIENT),
    )
