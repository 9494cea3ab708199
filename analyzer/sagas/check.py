"""What a saga check is, and how it words its answer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from analyzer.sagas.view import SagaView
from store.conclusions import CheckResult, Evidence, Step, Verdict

EVIDENCE_MAX = 50
"""Spans named as evidence by one check; a longer list helps nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question about one saga."""

    id: str
    title: str
    scope: str
    run: Callable[[SagaView], CheckResult]


def answer(
    check: str,
    verdict: Verdict,
    message: str,
    steps: Iterable[Step] = (),
    missing: Sequence[str] = (),
) -> CheckResult:
    """A result whose evidence is every attempt of the steps named."""
    evidence = [
        Evidence(kind="span", trace_id=attempt.trace_id, span_id=attempt.span_id)
        for step in steps
        for attempt in step.attempts
    ]
    return CheckResult(
        check=check,
        verdict=verdict,
        message=message,
        evidence=list(dict.fromkeys(evidence))[:EVIDENCE_MAX],
        missing=sorted(set(missing)),
    )


ORDER = list(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What one step, or pair of steps, contributes to a check's answer."""

    verdict: Verdict
    message: str
    steps: Sequence[Step]
    missing: Sequence[str] = ()


def worst(check: str, doubts: Sequence[Doubt], otherwise: CheckResult) -> CheckResult:
    """The answer of all doubts of the worst verdict together, else the untroubled answer."""
    if not doubts:
        return otherwise
    verdict = min((doubt.verdict for doubt in doubts), key=ORDER.index)
    same = [doubt for doubt in doubts if doubt.verdict is verdict]
    return answer(
        check,
        verdict,
        "; ".join(dict.fromkeys(doubt.message for doubt in same)),
        [step for doubt in same for step in doubt.steps],
        [name for doubt in same for name in doubt.missing],
    )


def label(step: Step) -> str:
    """A step in a sentence."""
    key = f" {step.key}" if step.key else ""
    place = f" at {step.callee}" if step.callee else ""
    return f"{step.name}{key}{place}"


def labels(steps: Iterable[Step]) -> str:
    """Several steps in a sentence."""
    return ", ".join(label(step) for step in steps)
