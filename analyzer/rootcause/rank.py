"""Which things the evidence points at, strongest first; nothing where it points nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from analyzer.discovery import discover
from analyzer.rootcause import parts as place
from analyzer.rootcause.evidence import Clue, Part, strongest
from analyzer.rootcause.telemetry import Case

SCORE_MIN: Final = 0.15
"""Below that nothing is blamed."""
CHANGE_SCORE_MIN: Final = 0.03
"""Of a version, policy, model or flag beside a service that is blamed: worth a trial by replay."""
EXPLAINED_AWAY: Final = 0.6
"""How much of a caller's score a callee with as strong evidence takes."""
SECOND_HAND: Final = 0.8
"""What is only seen by its callers counts this much of what it would."""
TOLD_MIN: Final = 0.45
"""A change whose text is known is blamed from this value of its clue on: nearness alone, or a word
or two that many changes share, stay below."""
CANDIDATES_MAX: Final = 20
BORNE: Final = frozenset({"version", "policy", "model", "flag", "setting", "attribute"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One thing that may be the cause. `score` from 0 to 1 orders candidates and is no
    probability. `parts` are the clues on it, by part; `below` is the service called by it whose
    evidence took from its score, "" for none."""

    kind: str
    name: str
    service: str
    score: float
    parts: Mapping[str, Clue]
    below: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Candidates, best first; none with the reason why. `unseen` are the parts without data, and
    what was too much to be looked at."""

    candidates: Sequence[Candidate]
    reason: str
    unseen: Sequence[str]


@cache
def all_parts() -> Mapping[str, Part]:
    """The parts by the names of their modules."""
    return discover(place, "PART", Part)


def rank(case: Case) -> Ranking:
    """Services first by all parts together, then what is finer inside them by its own clues."""
    found: dict[str, Sequence[Clue]] = {}
    unseen = []
    for name, part in all_parts().items():
        clues = part.find(case)
        if clues is None:
            unseen.append(name)
        else:
            found[name] = clues
    services = _services(found, case)
    finer = _finer(found, {one.name: one for one in services})
    blamed = [one for one in (*services, *finer) if one.score >= SCORE_MIN]
    if blamed:
        blamed += [
            one for one in finer if one.kind in BORNE and CHANGE_SCORE_MIN <= one.score < SCORE_MIN
        ]
    ordered = sorted(
        blamed,
        key=lambda one: (-one.score, one.kind != "service", one.kind, one.name),
    )
    reason = ""
    if not ordered:
        reason = (
            "no part points anywhere strongly enough"
            if found
            else "there is nothing to compare: no data in the window or before it"
        )
    return Ranking(
        candidates=tuple(ordered[:CANDIDATES_MAX]), reason=reason, unseen=(*unseen, *case.cut)
    )


def _services(found: Mapping[str, Sequence[Clue]], case: Case) -> list[Candidate]:
    by_service: dict[str, dict[str, Clue]] = {}
    for part, clues in found.items():
        own = [clue for clue in clues if clue.kind == "service"]
        for service, clue in strongest(own).items():
            by_service.setdefault(service, {})[part] = clue
    below = _below(case)
    if case.symptom:
        reached = below.get(case.symptom, frozenset()) | {case.symptom}
        by_service = {name: clues for name, clues in by_service.items() if name in reached}
    raw = {
        service: _together(clues) * (SECOND_HAND if service in case.seen_by_callers else 1.0)
        for service, clues in by_service.items()
    }
    return [
        _explained(service, clues, raw, below.get(service, frozenset()))
        for service, clues in sorted(by_service.items())
    ]


def _explained(
    service: str, clues: Mapping[str, Clue], raw: Mapping[str, float], callees: frozenset[str]
) -> Candidate:
    """What a service called explains of it is taken from its score."""
    mine = raw[service]
    rival, strongest_below = "", 0.0
    for callee in sorted(callees):
        if raw.get(callee, 0.0) > strongest_below:
            rival, strongest_below = callee, raw[callee]
    share = min(1.0, strongest_below / mine) if mine > 0 else 0.0
    return Candidate(
        kind="service",
        name=service,
        service=service,
        score=mine * (1 - EXPLAINED_AWAY * share**2),
        parts=clues,
        below=rival if share > 0.5 else "",
    )


def _together(clues: Mapping[str, Clue]) -> float:
    """Parts as independent witnesses, each believed up to its weight."""
    doubt = 1.0
    for name, clue in sorted(clues.items()):
        doubt *= 1 - all_parts()[name].weight * clue.value
    return 1 - doubt


def _below(case: Case) -> Mapping[str, frozenset[str]]:
    """The services each service reaches by calls."""
    edges = set(case.edges)
    for call in (*case.baseline.calls, *case.incident.calls):
        edges.update((call.service, name) for name, _ in call.children if name != call.service)
        if call.callee and call.callee != call.service:
            edges.add((call.service, call.callee))
    next_to: dict[str, set[str]] = {}
    for caller, callee in edges:
        next_to.setdefault(caller, set()).add(callee)
    reached: dict[str, frozenset[str]] = {}
    for start in sorted(next_to):
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for callee in next_to.get(waiting.pop(), ()):
                if callee not in seen:
                    seen.add(callee)
                    waiting.append(callee)
        reached[start] = frozenset(seen - {start})
    return reached


def _finer(
    found: Mapping[str, Sequence[Clue]], services: Mapping[str, Candidate]
) -> list[Candidate]:
    """Operations and edges, never above the service they are of; versions, policies and the like
    also by what tells for them alone; changes by their own words. Nothing by having come at the
    time alone."""
    by_thing: dict[tuple[str, str, str], dict[str, Clue]] = {}
    for part, clues in found.items():
        for clue in sorted(clues, key=lambda one: (one.value, one.detail)):
            if clue.kind != "service":
                by_thing.setdefault((clue.kind, clue.name, clue.service), {})[part] = clue
    candidates = []
    for (kind, name, service), borne in sorted(by_thing.items()):
        if kind == "setting" and set(borne) == {"changes"}:
            continue  # no replay can try it, and nearness alone blames nobody
        owner = services.get(service)
        score = 0.0 if owner is None else owner.score * min(0.99, _together(borne))
        if kind in BORNE:
            own = {part: clue for part, clue in borne.items() if part != "changes"}
            score = max(score, 0.9 * _together(own))
        if kind == "change":
            told = max(clue.value for clue in borne.values())
            # its own words name what is new: then it need not be of the service that fails
            score = told if told >= TOLD_MIN else 0.0
        candidates.append(
            Candidate(kind=kind, name=name, service=service, score=score, parts=borne)
        )
    return candidates
