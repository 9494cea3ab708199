"""How often the code would have caused an effect, where callees honour idempotency keys.

In: a run, and the callees observed to honour keys. Out: a sentence that states the assumption.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeAlias

from replay.code.answering import DECLARED, Answering
from store.conclusions import Flow

KEY = "idempotency-key"


def honouring(flows: Iterable[Flow]) -> frozenset[str]:
    """Operations that gave one key one effect: a repeated key got the same reference, and no key
    ever got two."""
    references: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for flow in flows:
        for step in flow.steps:
            for attempt in step.attempts:
                if attempt.idempotency_key and attempt.external_ref:
                    key = (step.callee, step.operation, attempt.idempotency_key)
                    references[key].append(attempt.external_ref)
    kept = {key[:2] for key, found in references.items() if len(found) > 1}
    broken = {key[:2] for key, found in references.items() if len(set(found)) > 1}
    return frozenset(f"{callee} {operation}" for callee, operation in kept - broken)


def effects_told(answering: Answering, observed: frozenset[str]) -> str:
    """Tell of operations that a run affects otherwise than the recording; "" when none is."""
    recorded, replayed, unknown = _counted(answering)
    told = []
    for op in sorted({*recorded, *replayed}):
        before, after = len(recorded[op]), len(replayed[op])
        if before != after and unknown:
            told.append(f"{op}: {before} recorded, unknown now")
        elif before != after:
            seen = "observed" if op in observed else "assumed, not observed"
            told.append(f"{op}: {before} recorded, {after} now, if it honours keys ({seen})")
    if not told:
        return ""
    if unknown:
        told.append(f"unknown because {', '.join(sorted(unknown))} has no recorded answer")
    return "effects: " + "; ".join(told)


_Keys: TypeAlias = defaultdict[str, set[str]]


def _counted(answering: Answering) -> tuple[_Keys, _Keys, set[str]]:
    """Keys that took effect by operation, recorded and in this run; calls of which nothing is
    known."""
    recorded: _Keys = defaultdict(set)
    replayed: _Keys = defaultdict(set)
    unknown: set[str] = set()
    attempts = answering.recorded.attempts
    for exchange in answering.recorded.requests.exchanges:
        attempt = attempts[exchange.span_id]
        if attempt.took_effect:
            recorded[exchange.op].add(attempt.idempotency_key or attempt.span_id)
    for asked in answering.asked:
        if asked.exchange is None:
            if asked.match.rung in ("missing", DECLARED):
                unknown.add(f"{asked.request.callee} {asked.request.method} {asked.request.path}")
        elif answering.altered and asked.exchange.span_id in answering.altered.faulted:
            unknown.add(asked.exchange.op)
        elif attempts[asked.exchange.span_id].took_effect:
            key = asked.request.headers.get(KEY)
            replayed[asked.exchange.op].add(key or asked.exchange.span_id)
    return recorded, replayed, unknown
