"""Where the same operation does other things than before: calls, log lines, failures."""

from collections import Counter
from collections.abc import Mapping
from math import log10
from typing import Final, NamedTuple

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.telemetry import ERROR_SEVERITY, Case, Telemetry
from analyzer.statistics.tables import fisher_exact

RUNS_MIN: Final = 3
CHANCE_MAX: Final = 1e-3
"""Many things are compared: a difference likelier than that by chance tells nothing."""
CHANCE_SURE: Final = 1e-6
DETAIL_CHARACTERS_MAX: Final = 120


class Doing(NamedTuple):
    """One thing an operation does; `sort` is call or log."""

    sort: str
    what: str
    error: bool


class Habit(NamedTuple):
    """How often an operation ran, and in how many runs it did each thing."""

    runs: int
    done: Counter[Doing]


def habits(telemetry: Telemetry) -> Mapping[tuple[str, str], Habit]:
    """What each operation of each service does in its runs."""
    lines: dict[str, set[Doing]] = {}
    for line in telemetry.lines:
        if line.span_id and line.template:
            lines.setdefault(line.span_id, set()).add(
                Doing("log", line.template, line.severity >= ERROR_SEVERITY)
            )
    found: dict[tuple[str, str], Habit] = {}
    for call in telemetry.calls:
        key = (call.service, call.operation)
        habit = found.get(key)
        runs = 1 if habit is None else habit.runs + 1
        done: Counter[Doing] = Counter() if habit is None else habit.done
        done.update(Doing("call", f"{service} {name}", False) for service, name in call.children)
        done.update(lines.get(call.span_id, ()))
        found[key] = Habit(runs, done)
    return found


def find(case: Case) -> list[Clue] | None:
    """Each operation whose runs clearly do something else; the strongest such thing."""
    if not case.baseline.calls or not case.incident.calls:
        return None
    before, during = habits(case.baseline), habits(case.incident)
    clues = []
    for key, habit in sorted(during.items()):
        base = before.get(key)
        if base is None or base.runs < RUNS_MIN or habit.runs < RUNS_MIN:
            continue
        best = _strongest(base, habit)
        if best is not None:
            value, detail = best
            clues += [
                Clue(
                    kind=kind,
                    name=name,
                    service=key[0],
                    value=value,
                    n=habit.runs,
                    detail=f"{key[1]}: {detail}",
                )
                for kind, name in (("service", key[0]), ("operation", " ".join(key)))
            ]
    return clues


def _strongest(base: Habit, habit: Habit) -> tuple[float, str] | None:
    recovered = _errors(habit) < _errors(base)
    found: list[tuple[float, str]] = []
    for doing in sorted(base.done.keys() | habit.done.keys()):
        was, now = base.done[doing], habit.done[doing]
        share, earlier = now / habit.runs, was / base.runs
        if share < earlier and (doing.error or (recovered and doing.sort == "call")):
            continue  # failing less than before, and what goes with that, explains nothing bad
        chance = fisher_exact(now, habit.runs - now, was, base.runs - was)
        if chance <= CHANCE_MAX:
            certainty = min(1.0, log10(chance) / log10(CHANCE_SURE)) if chance > 0 else 1.0
            # what never happened or always did is told apart from what goes with the traffic
            value = certainty * (share - earlier) ** 2
            words = (
                f"{doing.sort} {doing.what[:DETAIL_CHARACTERS_MAX]!r} in {now} of {habit.runs} "
                f"runs, {was} of {base.runs} before"
            )
            found.append((value, words))
    return max(found) if found else None


def _errors(habit: Habit) -> float:
    """The share of runs with the commonest error line."""
    return max((n for doing, n in habit.done.items() if doing.error), default=0) / habit.runs


PART = Part(
    name="behaviour",
    weight=0.8,
    source="Fisher 1922 on runs with and without; event patterns as evidence: Nezha, FSE 2023",
    find=find,
)
