"""Runs of agents: how often the step that decided a failure, and its agent, are named.

Who&When: weights are learned on eight of nine folds (by a hash of the question) and tried on the
ninth; only the agents' own messages are read, neither the labels nor the expected answer. The signs
were chosen by somebody who had seen these runs, so the numbers say that the method can, not that it
will. A folder from which nothing was learned (Hand-Crafted, where it is at hand) is tried with the
shipped weights. Beside it: rules that anybody could use, and what was published with GPT-4o
(Zhang and others, ICML 2025, arXiv 2505.00212, table 1; on 126 and 58 runs).

tau-bench has no labels of steps. Of runs with reward 0, the step held to be true is the first call
that was carried out, changes something, and is not among the actions the task asks for; it is held
against the first acting call that no successful run of the task made. Runs that only left something
out have no such step: there the right answer is to name none.

`python benchmarks/agents.py [--data FOLDER] [--cases] [--learn]`. FOLDER holds one folder per data
set, named as its repository: OWNER+NAME. Nothing in it is executed.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from analyzer.agents.decisive import WEIGHTS, Ranking, rank
from analyzer.agents.run import Run, Turn
from analyzer.statistics.proportions import wilson
from benchmarks.lib import agents
from benchmarks.lib.agents import FOLDS, Labelled, labelled, learn, served

WHO_AND_WHEN = "mingyin1+Agents_Failure_Attribution/Who&When"
TAU_BENCH = "sierra-research+tau-bench/historical_trajectories"
LEARNED_FROM = "Algorithm-Generated"
PUBLISHED = {
    "Algorithm-Generated": (
        ("random", 29.10, 19.06),
        ("all at once, given the answer", 54.33, 12.50),
        ("step by step, given the answer", 35.20, 25.51),
        ("binary search, given the answer", 44.13, 23.98),
        ("all at once", 51.12, 13.53),
        ("step by step", 26.02, 15.31),
        ("binary search", 30.11, 16.59),
    ),
    "Hand-Crafted": (
        ("random", 12.00, 4.16),
        ("all at once, given the answer", 55.17, 5.26),
        ("step by step, given the answer", 34.48, 7.02),
        ("binary search, given the answer", 51.72, 6.90),
        ("all at once", 53.44, 3.51),
        ("step by step", 32.75, 8.77),
        ("binary search", 36.21, 6.90),
    ),
}
RULES: dict[str, Callable[[Run], Turn]] = {
    "rule: first answer": agents.first_answer,
    "rule: last message": agents.last_answer,
    "rule: first of who spoke most": agents.first_of_most_frequent,
}


@dataclass(slots=True)
class Score:
    """Counts of one way over some runs: answers given, and right ones."""

    asked: int = 0
    steps: int = 0
    right_steps: int = 0
    agents: int = 0
    right_agents: int = 0

    def add(self, case: Labelled, step: Turn | None, agent: str | None) -> None:
        self.asked += 1
        self.steps += step is not None
        self.right_steps += step is not None and step.place == case.place
        self.agents += agent is not None
        self.right_agents += agent is not None and agent == case.agent


def share(hits: int, n: int) -> str:
    """A share in percent with its interval."""
    bounds = wilson(hits, n)
    if bounds is None:
        return "none"
    return f"{100 * hits / n:5.1f} [{100 * bounds.low:4.1f}, {100 * bounds.high:4.1f}] of {n}"


def line(name: str, score: Score) -> str:
    return (
        f"  {name:34} agent {share(score.right_agents, score.agents):28} "
        f"step {share(score.right_steps, score.steps):28} "
        f"coverage {score.agents}/{score.steps} of {score.asked}"
    )


def ranked(cases: Sequence[Labelled], cross: bool) -> list[tuple[Labelled, Ranking]]:
    """Each run ranked by weights that were not learned from it."""
    if not cross:
        return [(case, rank(case.run, weights=WEIGHTS)) for case in cases]
    found = []
    for fold in range(FOLDS):
        weights = learn([case for case in cases if case.fold != fold])
        held = [case for case in cases if case.fold == fold]
        found += [(case, rank(case.run, weights=weights)) for case in held]
    return found


def who_and_when(folder: Path, told: bool) -> None:
    cases = list(labelled(folder))
    cross = folder.name == LEARNED_FROM
    way = "cross-validated" if cross else "the shipped weights, learned elsewhere"
    print(f"Who&When {folder.name}: {len(cases)} labelled runs, {way}")
    always, abstaining, top3 = Score(), Score(), 0
    for case, ranking in ranked(cases, cross):
        best = ranking.candidates[0].turn if ranking.candidates else None
        always.add(case, best, ranking.agents[0][0] if ranking.agents else None)
        abstaining.add(case, ranking.step, ranking.agent)
        top3 += case.place in [it.turn.place for it in ranking.candidates[:3]]
        if told:
            first = [(it.turn.place, round(it.probability, 2)) for it in ranking.candidates[:3]]
            print(f"    {case.name}: {case.agent} {case.place}; ranked {first}")
    print(line("signs, always answering", always))
    print(line("signs, abstaining", abstaining))
    print(f"  {'signs, step among the first three':34} {share(top3, len(cases))}")
    for name, rule in RULES.items():
        score = Score()
        for case in cases:
            turn = rule(case.run)
            score.add(case, turn, turn.agent)
        print(line(name, score))
    chance = sum(1 / len(case.run.turns) for case in cases) / len(cases)
    print(f"  {'random message':34} step {100 * chance:5.1f} (expected)")
    for name, agent, step in PUBLISHED.get(folder.name, ()):
        print(f"  published, {name:31} agent {agent:5.2f}   step {step:5.2f}")


def tau_bench(path: Path, told: bool) -> None:
    runs = served(path)
    failed = [it for it in runs if it.reward == 0]
    print(f"tau-bench {path.name}: {len(runs)} runs, {len(failed)} with reward 0")
    held = named = right = none_right = none = 0
    for it in failed:
        peers = [one.run for one in runs if one.reward == 1 and one.run.task == it.run.task]
        if not peers:
            continue
        held += 1
        ranking = rank(it.run, peers)
        step = ranking.step if ranking.method.value == "contrast" else None
        if it.wrong is None:
            none += 1
            none_right += step is None
        else:
            named += 1
            right += step is it.wrong
        if told:
            print(f"    {it.name}: true {it.wrong and it.wrong.place}, named {step and step.place}")
    print(f"  with a run of the task that succeeded: {held} of {len(failed)}; the rest is unknown")
    print(f"  a wrong action, found at its step:      {share(right, named)}")
    print(f"  no wrong action, none named:            {share(none_right, none)}")


def main() -> None:
    """Run every data set that is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    corpora = Path(os.environ.get("RETROSPAN_CORPORA", "../shared/corpora"))
    parser.add_argument("--data", type=Path, default=corpora / "agents")
    parser.add_argument("--cases", action="store_true", help="tell of every run")
    parser.add_argument("--learn", action="store_true", help="print weights learned from all runs")
    given = parser.parse_args()
    if given.learn:
        print(learn(list(labelled(given.data / WHO_AND_WHEN / LEARNED_FROM))))
        return
    for folder in sorted((given.data / WHO_AND_WHEN).glob("*")):
        if folder.is_dir():
            who_and_when(folder, given.cases)
    for path in sorted((given.data / TAU_BENCH).glob("*.json*")):
        tau_bench(path, given.cases)
    if not given.data.is_dir():
        print(f"no runs of agents: {given.data} is no folder")


if __name__ == "__main__":
    main()
