"""Services that took part steadily in flows of a kind and then no more. Pure.

In: rows of `sql/taking_part.sql`. Out: a `Silence` each, that of most flows first. Who takes part
in bursts, or stood in for another for a while, was silent as long before and is not among them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

EXPECTED_MIN = 10
"""A silence tells something where so many flows with the service were to be expected in it: that
none comes by chance happens once in 22,000 times (Poisson: e^-10)."""
PARTS = 64  # of the range; shorter silences than one of them are not seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """`service` took part in `flows` of the `meanwhile` flows of this kind from its first to its
    last one at `last_ns`, and in none of the `later` ones."""

    service: str
    kind: str
    flows: int
    meanwhile: int
    later: int
    last_ns: int


def silences(rows: Iterable[Mapping[str, Any]]) -> Sequence[Silence]:
    """Silences at the end; rows come by kind, and the first ones of a kind count all its flows."""
    found = []
    for kind, of_kind in groupby(rows, key=lambda row: str(row["name"])):
        every: dict[int, int] = {}
        for service, own in groupby(of_kind, key=lambda row: row["service"]):
            if service is None:
                every = {row["part"]: row["flows"] for row in own}
            else:
                silence = _silence(kind, service, list(own), every)
                found += [silence] if silence is not None else []
    return sorted(found, key=lambda one: (-one.later, one.service, one.kind))


def _silence(
    kind: str, service: str, own: Sequence[Mapping[str, Any]], every: Mapping[int, int]
) -> Silence | None:
    flows = sum(row["flows"] for row in own)
    heard = {row["part"] for row in own}
    runs = [
        (spoke, sum(every[part] for part in parts))
        for spoke, parts in (
            (spoke, list(run)) for spoke, run in groupby(every, heard.__contains__)
        )
    ]
    quiet = [many for spoke, many in runs if not spoke]
    if runs[-1][0]:
        return None
    later = quiet.pop()
    before = 0 if runs[0][0] else quiet[0]
    meanwhile = sum(every.values()) - before - later
    telling = EXPECTED_MIN * meanwhile
    if flows * later < telling or flows * max(quiet, default=0) >= telling:
        return None
    return Silence(
        service=service,
        kind=kind,
        flows=flows,
        meanwhile=meanwhile,
        later=later,
        last_ns=max(row["last_ns"] for row in own),
    )
