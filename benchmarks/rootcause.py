"""Root causes: how often the known cause of recorded incidents is named first, or among the first.

Incidents of others with known causes, in two halves by a hash of system, cause and kind of fault.
Weights and limits were chosen on the half `tune` of Nezha; `held` was looked at for the totals and
once, half way, case by case. On PetShop (the authors' training part, one culprit in all its cases),
RootCauseBench and hdx-eval all cases at hand were looked at, so their numbers say that the method
can, not that it will. Beside each
system stand a trivial rule, computed here, and what was published on it (Nezha, FSE 2023;
root-cause-bench without a language model), on more cases than are at hand: compare with care. Case
by case with `--cases`.

`--data FOLDER` holds one folder per data set, named as its repository: OWNER+NAME. Nothing in it is
executed. Nezha takes about a minute of one processor and 1 GB.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import fsum
from pathlib import Path

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from analyzer.rootcause.parts.request_metrics import is_count
from analyzer.rootcause.rank import Candidate, rank
from analyzer.rootcause.telemetry import Case
from benchmarks.lib.rootcause import bench, hdx, nezha, petshop
from benchmarks.lib.rootcause.cases import Truth

Cases = Iterator[tuple[str, Case, Truth]]
SETS: dict[str, Callable[[Path], Cases]] = {
    "IntelligentDDS+Nezha": nezha.cases,
    "amazon-science+petshop-root-cause-analysis": petshop.cases,
    "edgedelta+root-cause-bench": bench.cases,
    "hyperdxio+hyperdx": hdx.cases,
}
PUBLISHED = {
    "Train Ticket": "45 faults: Nezha 86.7/97.8/97.8, MicroRCA 20.0/31.1/44.4, "
    "MicroRank 15.6/24.4/35.6",
    "Online Boutique": "56 faults: Nezha 92.9/96.4/96.4, MicroRank 41.1, MicroRCA 16.1 (top 1)",
    "RootCauseBench": "24 incidents, no language model: best 29.2 (top 1)",
    "PetShop": "a trivial rule of others on these 20: latency 35, availability 56 (top 1)",
    "hdx-eval": "none: its authors score the text of language models",
}


@dataclass(slots=True)
class Tally:
    """Counts over the cases of one system: hits at 1, 3 and 5, of the trivial rule, decoys blamed
    first, cases without a cause and those rightly left without."""

    n: int = 0
    hits: dict[int, int] = field(default_factory=lambda: {1: 0, 3: 0, 5: 0})
    trivial: int = 0
    decoys: int = 0
    trivial_decoys: int = 0
    nothing: int = 0
    abstained_rightly: int = 0
    abstained_wrongly: int = 0


def half_of(system: str, truth: Truth) -> str:
    """Which half a case is in: all faults of one kind in one service are in the same."""
    key = f"{system} {truth.causes} {truth.sort}"
    return "tune" if hashlib.sha256(key.encode()).digest()[0] % 2 == 0 else "held"


def answer(system: str, case: Case) -> list[str]:
    """The names of the candidates that the data set asks for: changes, or services."""
    wanted = "change" if system == "RootCauseBench" else "service"
    return [_named(one) for one in rank(case).candidates if one.kind == wanted]


def _named(candidate: Candidate) -> str:
    return candidate.name.rpartition(" ")[2] if candidate.kind == "change" else candidate.name


def trivial(system: str, case: Case) -> str:
    """The latest deploy before the symptom; else the service whose mean span, or whose metric,
    grew by the largest factor."""
    if system == "RootCauseBench":
        deploys = [
            change for change in case.changes if change.service and change.at_ns <= case.onset_ns
        ]
        return max(deploys, key=lambda one: (one.at_ns, one.name)).name if deploys else ""
    before, during = _means(case, False), _means(case, True)
    factors = {
        name: abs(during[name] - before[name]) / (abs(before[name]) + 1e-9)
        for name in during
        if name in before
    }
    return max(factors, key=lambda name: (factors[name], name), default="")


def _means(case: Case, incident: bool) -> dict[str, float]:
    window = case.incident if incident else case.baseline
    values: dict[str, list[float]] = {}
    for call in window.calls:
        values.setdefault(call.service, []).append(float(call.duration_ns))
    if not window.calls:
        for one in window.measurements:
            if is_count(one.name):
                continue  # beside the metric that is asked about
            values.setdefault(one.service, []).append(one.value)
    return {name: fsum(found) / len(found) for name, found in sorted(values.items())}


def count(tally: Tally, names: list[str], simple: str, truth: Truth) -> None:
    """Add one case, answered with `names`, and by the trivial rule with `simple`."""
    places = [place for place, name in enumerate(names, 1) if name in truth.causes]
    place = min(places, default=0)
    tally.n += 1
    if truth.causes:
        for most in tally.hits:
            tally.hits[most] += 0 < place <= most
        tally.abstained_wrongly += not names
    else:
        tally.nothing += 1
        tally.abstained_rightly += not names
        for most in tally.hits:
            tally.hits[most] += not names
    tally.trivial += simple in truth.causes or (not simple and not truth.causes)
    tally.decoys += bool(names) and names[0] in truth.decoys
    tally.trivial_decoys += simple in truth.decoys


def told(system: str, half: str, tally: Tally) -> str:
    """One line of the table."""

    def share(hits: int) -> str:
        return f"{100 * hits / tally.n:5.1f}"

    text = (
        f"{system:22} {half:5} n={tally.n:3}  top-1/3/5 "
        f"{'/'.join(share(tally.hits[most]).strip() for most in (1, 3, 5)):17} "
        f"trivial {share(tally.trivial)}  abstained wrongly {tally.abstained_wrongly}"
    )
    if tally.nothing or tally.decoys or tally.trivial_decoys:
        text += (
            f"; decoys blamed {tally.decoys} (trivial {tally.trivial_decoys}); "
            f"no cause: {tally.abstained_rightly} of {tally.nothing} left without"
        )
    return text


def main() -> None:
    """Run every data set that is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cases", action="store_true", help="tell of every case")
    given = parser.parse_args()
    tallies: dict[tuple[str, str], Tally] = {}
    for name, read in SETS.items():
        folder = given.data / name
        if not folder.is_dir():
            print(f"{name}: not in {given.data}")
            continue
        for system, case, truth in read(folder):
            names = answer(system, case)
            simple = trivial(system, case)
            for half in (half_of(system, truth), "all"):
                count(tallies.setdefault((system, half), Tally()), names, simple, truth)
            if given.cases:
                print(f"{system}, {truth.name}: {truth.causes} in {names[:3]}")
    for system, half in sorted(tallies):
        print(told(system, half, tallies[system, half]))
    for system, text in PUBLISHED.items():
        print(f"published on {system}: {text}")


if __name__ == "__main__":
    main()
