"""How one kind of evidence is written down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from analyzer.rootcause.telemetry import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """What one part says of one thing. `kind` is service, operation, edge, version, policy,
    model, flag, setting, attribute or change; `service` is whose it is. `value` from 0 to 1 is how
    strongly it points there, of `n` observations; `detail` says it in words."""

    kind: str
    name: str
    service: str
    value: float
    n: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of evidence. `weight` from 0 to 1 is the most it can say alone; `source` is where
    its formula comes from. `find` gives None where the case has not the data it needs."""

    name: str
    weight: float
    source: str
    find: Callable[[Case], Sequence[Clue] | None]


def strongest(clues: Sequence[Clue]) -> Mapping[str, Clue]:
    """The strongest clue on each service; of equals the first by name."""
    best: dict[str, Clue] = {}
    for clue in sorted(clues, key=lambda one: (-one.value, one.kind, one.name)):
        best.setdefault(clue.service, clue)
    return dict(sorted(best.items()))
