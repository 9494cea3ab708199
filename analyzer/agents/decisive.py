"""Which step most likely decided that a run of agents failed, and which agent made it.

Two ways, the surer one first: the first action that no run which succeeded at the same task took;
else a conditional logit over signs that need no language model. The weights were learned from 62 of
63 labelled runs at hand of Who&When (arXiv 2505.00212, runs of 5 to 10 messages that CaptainAgent
made; one has no label on an agent's turn) by `benchmarks/agents.py --learn`, which also
cross-validates them. They say what is likely, never who is to blame: below a limit nothing is
named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, fsum
from typing import Final

from analyzer.agents.contrast import divergence
from analyzer.agents.run import Run, Turn
from analyzer.agents.signs import SIGNS, Signed, signs_of

WEIGHTS: Final[Mapping[str, float]] = {
    "task": -0.03, "task_code": 1.57, "opening": 0.23, "late": -0.7, "brief": -1.06, "code": 0.59,
    "failed": 0.19, "empty": 0.98, "not_run": -0.33, "assumed": 0.8, "origin": 1.1,
    "unsupported": 0.53, "concluded": 0.39, "repeated": 0.17, "share": 0.26,
}  # fmt: skip
STEP_MIN: Final = 0.3
"""A step is named from this probability on."""
AGENT_MIN: Final = 0.5
TURNS_LEARNED_MAX: Final = 20
"""Twice the longest run learned from: of longer ones no step is named by signs."""
TOLD_MIN: Final = 0.1
"""A sign that moves the score by less is not told as a reason."""


class Method(StrEnum):
    """How a ranking was made."""

    CONTRAST = "contrast"
    SIGNS = "signs"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A step that may have been decisive; `reasons` are its signs, the weightiest first."""

    turn: Turn
    probability: float
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The candidates, likeliest first; `step` and `agent` are None where nothing is named.

    `agents` has each agent's probability, likeliest first. `why` says in words how it was found, or
    why nothing is named. `peers` is how many runs that succeeded at the task it was held to.
    """

    method: Method
    candidates: Sequence[Candidate]
    agents: Sequence[tuple[str, float]] = ()
    step: Turn | None = None
    agent: str | None = None
    why: str = ""
    peers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From which probability on something is named."""

    step: float = STEP_MIN
    agent: float = AGENT_MIN
    turns: int = TURNS_LEARNED_MAX


NAMED: Final = Limits()


def rank(
    run: Run,
    succeeded: Sequence[Run] = (),
    weights: Mapping[str, float] = WEIGHTS,
    limits: Limits = NAMED,
    *,
    failed: bool = True,
) -> Ranking:
    """The candidates of a run. `succeeded` are other runs of its task that did not fail.

    Of a run that is not known to have `failed` nothing is named.
    """
    candidates = likely(signs_of(run), weights)
    if not candidates:
        return Ranking(
            method=Method.NONE, candidates=(), why="no message of an agent is recorded in this flow"
        )
    agents = _agents(candidates)
    if not failed:
        why = "the run is not known to have failed, so no step decided that it did"
        return Ranking(method=Method.NONE, candidates=candidates, agents=agents, why=why)
    found = divergence(run, succeeded)
    if found is not None:
        first = next(it for it in candidates if it.turn is found.turn)
        return Ranking(
            method=Method.CONTRAST,
            candidates=[first, *(it for it in candidates if it is not first)],
            agents=agents,
            step=found.turn,
            agent=found.turn.agent,
            why=f"its call of {found.tool} is the first that no run which succeeded at this task "
            f"made ({found.peers} compared)",
            peers=found.peers,
        )
    best, (agent, share) = candidates[0], agents[0]
    too_long = len(run.turns) > limits.turns
    named = best.probability >= limits.step and not too_long
    why = "by signs of each turn, learned from labelled runs of others"
    if too_long:
        why += f"; {len(run.turns)} messages are more than was learned from, so no step is named"
    elif not named:
        why += f"; no step reaches {limits.step:.2f}, so none is named"
    return Ranking(
        method=Method.SIGNS,
        candidates=candidates,
        agents=agents,
        step=best.turn if named else None,
        agent=agent if share >= limits.agent and not too_long else None,
        why=why,
        peers=len(succeeded),
    )


def likely(signed: Sequence[Signed], weights: Mapping[str, float]) -> list[Candidate]:
    """The turns by probability, the earlier of equal ones first; their sum is 1."""
    scores = [
        fsum(weights.get(name, 0.0) * value for name, value in it.signs.items()) for it in signed
    ]
    top = max(scores, default=0.0)
    parts = [exp(score - top) for score in scores]
    whole = fsum(parts)
    found = [
        Candidate(turn=it.turn, probability=part / whole, reasons=_reasons(it, weights))
        for it, part in zip(signed, parts, strict=True)
    ]
    return sorted(found, key=lambda it: (-it.probability, it.turn.place))


def _reasons(signed: Signed, weights: Mapping[str, float]) -> list[str]:
    moved = {name: weights.get(name, 0.0) * value for name, value in signed.signs.items()}
    told = sorted((-by, name) for name, by in moved.items() if by >= TOLD_MIN)
    return [SIGNS[name] for _, name in told]


def _agents(candidates: Sequence[Candidate]) -> list[tuple[str, float]]:
    parts: dict[str, list[float]] = {}
    for it in candidates:
        parts.setdefault(it.turn.agent, []).append(it.probability)
    return sorted(
        ((name, fsum(values)) for name, values in parts.items()), key=lambda it: (-it[1], it[0])
    )
