"""What an expectation may read of a code replay, as facts for CEL."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from analyzer.expression import compiled
from store.conclusions import Flow, ReplayResult
from store.model import JsonValue

NAMES = ("verdict", "outcome", "output", "error", "calls", "keys", "answered")


def facts_of(flow: Flow, result: ReplayResult) -> dict[str, JsonValue]:
    """`calls` and `keys` count requests and distinct idempotency keys by `SERVICE METHOD /path`,
    over all operations recorded or called; `answered` is whether all had a recorded answer."""
    calls: Counter[str] = Counter()
    keys: defaultdict[str, set[str]] = defaultdict(set)
    answered, ending = True, dict(result.events[-1]) if result.events else {}
    for event in result.events[:-1]:
        name, key = str(event["request"]), str(event["key"])
        calls[name] += 1
        answered = answered and event["rung"] != "missing"
        if key:
            keys[name].add(key)
    known = {f"{step.callee} {step.operation}" for step in flow.steps if step.callee} | set(calls)
    return {
        "verdict": result.verdict,
        "outcome": result.outcome or None,
        "output": ending.get("output"),
        "error": ending.get("end") or "",
        "calls": {name: calls[name] for name in sorted(known)},
        "keys": {name: len(keys[name]) for name in sorted(known)},
        "answered": answered,
    }


def unmet(flow: Flow, result: ReplayResult, expected: Sequence[str]) -> list[str]:
    """The expectations that do not hold of a replay, or of which nothing is known.

    Raises UsageError when one is no expression over the facts.
    """
    facts = facts_of(flow, result)
    told = []
    for text in expected:
        holds = compiled(text, NAMES, "--expect").holds(facts)
        if holds is not True:
            told.append(f"{text}: {'not met' if holds is False else 'not known'}")
    return told
