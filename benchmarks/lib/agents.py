"""Labelled runs of agents, how weights are learned from them, and rules to hold a ranking to.

Read by the product's own readers. A run's label is taken from its evaluations and never shown to
what ranks.
"""

import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, sqrt
from pathlib import Path

from analyzer.agents.contrast import acts
from analyzer.agents.run import By, Run, Turn, run_of
from analyzer.agents.signs import SIGNS, Signed, signs_of
from ingest.limits import Limits
from ingest.readers import tau_bench, who_and_when
from store.model import Span

FOLDS = 9
ROUNDS = 400
PENALTY = 1.0
RATE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A run with who erred and where; `fold` follows from the question alone."""

    name: str
    run: Run
    signed: Sequence[Signed]
    agent: str
    place: int | None
    fold: int

    @property
    def index(self) -> int | None:
        """Which of the agents' turns the label names; None when it names none of theirs."""
        return next((i for i, it in enumerate(self.signed) if it.turn.place == self.place), None)


def labelled(folder: Path) -> Iterator[Labelled]:
    """The labelled runs of a folder of Who&When, by file name."""
    for path in sorted(folder.glob("*.json")):
        with path.open("rb") as stream:
            items = list(who_and_when.READER.read(stream, Limits()))
        run = run_of([it for it in items if isinstance(it, Span)])
        if run.judged is None:
            continue
        digest = hashlib.sha256(run.task.encode()).digest()
        yield Labelled(
            name=path.name, run=run, signed=signs_of(run), agent=run.judged.agent,
            place=run.judged.place, fold=digest[0] % FOLDS,
        )  # fmt: skip


def learn(cases: Sequence[Labelled]) -> dict[str, float]:
    """Weights of a conditional logit (McFadden 1974) with a quadratic penalty, by AdaGrad."""
    known = [(case.signed, case.index) for case in cases if case.index is not None]
    weights = dict.fromkeys(SIGNS, 0.0)
    steps = dict.fromkeys(SIGNS, 1e-8)
    for _ in range(ROUNDS):
        slope = {name: -PENALTY * weight for name, weight in weights.items()}
        for signed, index in known:
            parts = [exp(_score(it, weights)) for it in signed]
            whole = fsum(parts)
            for place, (it, part) in enumerate(zip(signed, parts, strict=True)):
                missed = (place == index) - part / whole
                for name, value in it.signs.items():
                    slope[name] += missed * value
        for name, by in slope.items():
            steps[name] += by * by
            weights[name] += RATE * by / sqrt(steps[name])
    return {name: round(weight, 2) for name, weight in weights.items()}


def _score(it: Signed, weights: Mapping[str, float]) -> float:
    return fsum(weights[name] * value for name, value in it.signs.items())


def first_answer(run: Run) -> Turn:
    """The rule `the first answer to the task`."""
    after = [turn for turn in run.spoken if turn is not run.turns[0]]
    return (after or run.spoken)[0]


def last_answer(run: Run) -> Turn:
    """The rule `the last turn of an agent`."""
    return run.spoken[-1]


def first_of_most_frequent(run: Run) -> Turn:
    """The rule `the first turn of the agent that spoke most`, after the task."""
    after = [turn for turn in run.spoken if turn is not run.turns[0]] or run.spoken
    counts = Counter(turn.agent for turn in after)
    most = min(counts, key=lambda name: (-counts[name], name))
    return next(turn for turn in after if turn.agent == most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A run of tau-bench; `wrong` is its first acting call that the task did not ask for."""

    name: str
    run: Run
    reward: float
    wrong: Turn | None


def served(path: Path) -> list[Served]:
    """The runs of a result file, in its order."""
    data = path.read_bytes()
    stream = io.BytesIO(gzip.decompress(data) if path.suffix == ".gz" else data)
    items = list(tau_bench.READER.read(stream, Limits()))
    traces: dict[str, list[Span]] = {}
    for it in items:
        if isinstance(it, Span):
            traces.setdefault(it.trace_id, []).append(it)
    found = []
    for trace_id, spans in traces.items():
        told = {
            event.attributes["gen_ai.evaluation.name"]: event.attributes
            for event in spans[0].events
        }
        reward = told.get("reward", {}).get("gen_ai.evaluation.score.value")
        asked = told.get("expected_actions", {}).get("gen_ai.evaluation.explanation")
        run = run_of(spans)
        if isinstance(reward, float) and isinstance(asked, str):
            wrong = _first_wrong(run, json.loads(asked))
            found.append(Served(name=trace_id, run=run, reward=reward, wrong=wrong))
    return found


def _first_wrong(run: Run, asked: Sequence[Mapping[str, object]]) -> Turn | None:
    """The first acting call that was carried out though the task did not ask for it."""
    wanted = {(it["name"], json.dumps(it["kwargs"], sort_keys=True)) for it in asked}
    answers = {turn.place - 1: turn for turn in run.turns if turn.by is By.TOOL}
    for turn in run.spoken:
        for name, arguments in turn.calls:
            if not acts(name) or name.startswith("transfer"):
                continue
            answer = answers.get(turn.place)
            if answer is not None and answer.failed:
                continue
            if (name, _sorted(arguments)) not in wanted:
                return turn
    return None


def _sorted(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except ValueError:
        return arguments
