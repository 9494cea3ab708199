"""All comparisons and rollbacks of a window of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars

from analyzer.releases.arms import (
    COUNTS,
    SLICES,
    Arm,
    ArmCounts,
    Tally,
    Thing,
    pairs_of,
    things_of,
)
from analyzer.releases.compare import Comparison, compare_all
from analyzer.releases.rollbacks import Rollback, rollbacks_of, with_meanwhile
from analyzer.releases.settings import ReleaseSettings
from store.lease import Session
from store.query import ask

HERE: Final = Path(__file__).resolve().parent
ARMS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """What was found; `things` says of what there were versions at all. `pairs_left_out` are older
    pairs that were too many."""

    since_ns: int
    until_ns: int
    things: Sequence[Thing]
    comparisons: Sequence[Comparison]
    rollbacks: Sequence[Rollback]
    pairs_left_out: int = 0


def report(
    session: Session, since_ns: int, until_ns: int, settings: ReleaseSettings
) -> ReleaseReport:
    """Ask the store, compare."""
    things = _things(session, since_ns, until_ns)
    all_pairs = [pair for thing in things for pair in pairs_of(thing)]
    pairs = all_pairs[: ARMS_MAX // 2]
    arms = list(dict.fromkeys(arm for pair in pairs for arm in (pair.baseline, pair.candidate)))
    comparisons = compare_all(pairs, _counts(session, arms), settings)
    return ReleaseReport(
        since_ns=since_ns,
        until_ns=until_ns,
        things=things,
        comparisons=comparisons,
        rollbacks=_rollbacks(session, things, settings),
        pairs_left_out=len(all_pairs) - len(pairs),
    )


def rollbacks_in(
    session: Session, since_ns: int, until_ns: int, settings: ReleaseSettings
) -> list[Rollback]:
    """What was taken back in a window of time, without the comparisons."""
    return _rollbacks(session, _things(session, since_ns, until_ns), settings)


def _things(session: Session, since_ns: int, until_ns: int) -> list[Thing]:
    bound = {"since_ns": since_ns, "until_ns": until_ns, "slices": SLICES}
    return list(things_of(ask(session, HERE / "timeline.sql", bound)))


def _rollbacks(
    session: Session, things: Sequence[Thing], settings: ReleaseSettings
) -> list[Rollback]:
    found = [one for it in things for one in rollbacks_of(it, settings)]
    return [with_meanwhile(one, things) for one in _with_left_open(session, found)]


def _counts(session: Session, arms: Sequence[Arm]) -> dict[Arm, ArmCounts]:
    bound = _bound(arms)
    durations: dict[int, dict[int, int]] = {}
    for row in ask(session, HERE / "durations.sql", bound).iter_rows(named=True):
        durations.setdefault(row["arm"], {})[row["duration_ns"]] = row["n"]
    counted = ask(session, HERE / "counts.sql", bound)
    found = {}
    for index, arm in enumerate(arms):
        rows = counted.filter(polars.col("arm") == index).to_dicts()
        named = [row for row in rows if row["variant"]]
        found[arm] = ArmCounts(
            tally=sum((Tally(**{name: row[name] for name in COUNTS}) for row in rows), Tally()),
            durations=durations.get(index, {}),
            variants={row["variant"]: row["n"] for row in named},
            examples={row["variant"]: row["example"] for row in named},
        )
    return found


def _with_left_open(session: Session, rollbacks: Sequence[Rollback]) -> list[Rollback]:
    if not rollbacks:
        return []
    frame = ask(session, HERE / "left_open.sql", _bound([one.withdrawn for one in rollbacks]))
    left = {row["arm"]: row for row in frame.iter_rows(named=True)}
    return [
        replace(
            one,
            left_open=left[index]["n"],
            example_flow_id=left[index]["example"],
            successful="no",
        )
        if index in left
        else one
        for index, one in enumerate(rollbacks)
    ]


def _bound(arms: Sequence[Arm]) -> Mapping[str, object]:
    return {
        "arms": list(range(len(arms))),
        "kinds": [arm.kind for arm in arms],
        "subjects": [arm.subject for arm in arms],
        "versions": [arm.version for arm in arms],
        "sinces": [arm.since_ns for arm in arms],
        "untils": [arm.until_ns for arm in arms],
    }
