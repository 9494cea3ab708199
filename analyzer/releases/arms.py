"""Which versions of a thing are compared with which, and over which time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import polars

SLICES: Final = 200
CHANCE_MAX: Final = 0.01
"""How likely an absence may be mere chance to count as none."""
NEIGHBOURS_MIN: Final = 30
"""How many units before and after an absence tell which share a version had."""
VERSIONS_MAX: Final = 50
"""Of one thing; where there are more, the last ones are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Units, and how many of those whose end is known were bad. `failed`: the request or flow
    failed. `unsound`: a flow left something half done or broke a saga check."""

    n: int = 0
    failed_known: int = 0
    failed: int = 0
    unsound_known: int = 0
    unsound: int = 0
    unknown_sampling: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in COUNTS})


COUNTS: Final = ("n", "failed_known", "failed", "unsound_known", "unsound", "unknown_sampling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a thing: when its units started, and how many there were in each slice."""

    name: str
    first_ns: int
    last_ns: int
    slices: Mapping[int, Tally]

    @property
    def total(self) -> Tally:
        return sum(self.slices.values(), Tally())


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A service, flow, model, policy or feature flag; its versions by when they first came.

    Its own time is cut into slices: the first begins at `since_ns`, each is `slice_ns` long. What
    changed and changed back within one slice is not seen.
    """

    kind: str
    subject: str
    versions: Sequence[Version]
    since_ns: int = 0
    slice_ns: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """The units of one version that started from `since_ns` on and before `until_ns`."""

    kind: str
    subject: str
    version: str
    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A version and the one before it. `design`: `concurrent`, while both ran side by side, so that
    both met the same world; `sequential`, the older before the newer came and the newer in all its
    time, so that the world may have changed."""

    baseline: Arm
    candidate: Arm
    design: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCounts:
    """What an arm held: bad units, durations (rounded) and variants by how often, an example flow
    of each variant."""

    tally: Tally = field(default_factory=Tally)
    durations: Mapping[int, int] = field(default_factory=dict)
    variants: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)


def things_of(timeline: polars.DataFrame) -> list[Thing]:
    """The things of a timeline, by kind and name."""
    rows: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = {}
    cuts: dict[tuple[str, str], tuple[int, int]] = {}
    for row in timeline.iter_rows(named=True):
        versions = rows.setdefault((row["kind"], row["subject"]), {})
        versions.setdefault(row["version"], []).append(row)
        cuts[row["kind"], row["subject"]] = row["begin_ns"], row["slice_ns"]
    return [
        Thing(
            kind=kind,
            subject=subject,
            versions=sorted(
                (_version(name, found) for name, found in versions.items()),
                key=lambda one: (one.first_ns, one.name),
            ),
            since_ns=cuts[kind, subject][0],
            slice_ns=cuts[kind, subject][1],
        )
        for (kind, subject), versions in sorted(rows.items())
    ]


def _version(name: str, rows: Sequence[Mapping[str, Any]]) -> Version:
    return Version(
        name=name,
        first_ns=min(row["first_ns"] for row in rows),
        last_ns=max(row["last_ns"] for row in rows),
        slices={row["slice"]: Tally(**{count: row[count] for count in COUNTS}) for row in rows},
    )


def pairs_of(thing: Thing) -> Iterator[Pair]:
    """Each version with the one that came before it, in both designs where both can be."""
    since_ns, slice_ns = thing.since_ns, thing.slice_ns
    for before, after in pairwise(thing.versions[-VERSIONS_MAX:]):
        together = _together(thing, before, after)
        if together is not None:
            since = max(since_ns + together[0] * slice_ns, before.first_ns, after.first_ns)
            until = min(
                since_ns + (together[1] + 1) * slice_ns, before.last_ns + 1, after.last_ns + 1
            )
            if since < until:
                yield Pair(
                    baseline=_arm(thing, before, since, until),
                    candidate=_arm(thing, after, since, until),
                    design="concurrent",
                )
        yield Pair(
            baseline=_arm(thing, before, before.first_ns, after.first_ns),
            candidate=_arm(thing, after, after.first_ns, after.last_ns + 1),
            design="sequential",
        )


def _together(thing: Thing, one: Version, other: Version) -> tuple[int, int] | None:
    """The slices over which both were at work, where there are several such times the fullest."""
    times = [
        (max(mine.first, theirs.first), min(mine.last, theirs.last))
        for mine in episodes_of(thing, one)
        for theirs in episodes_of(thing, other)
    ]
    fullness = {
        time: min(between(one, time[0], time[1] + 1).n, between(other, time[0], time[1] + 1).n)
        for time in times
        if time[0] <= time[1]
    }
    return max(fullness, key=lambda time: (fullness[time], -time[0]), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A time a version was at work without a break, from slice `first` to slice `last`."""

    version: Version
    first: int
    last: int


def episodes_of(thing: Thing, version: Version) -> list[Episode]:
    """When the version was at work. A break is an absence too long to be chance: with the share it
    had just before and just after, so many units without it are improbable."""
    numbers = sorted(version.slices)
    found = []
    first = numbers[0]
    for number, following in pairwise(numbers):
        missed = sum(between(one, number + 1, following).n for one in thing.versions)
        if missed and _is_break(thing, version, (number, following), missed):
            found.append(Episode(version=version, first=first, last=number))
            first = following
    found.append(Episode(version=version, first=first, last=numbers[-1]))
    return found


def _is_break(thing: Thing, version: Version, gap: tuple[int, int], missed: int) -> bool:
    """Whether the version's absence from a gap is no chance."""
    shares = []
    for step, start in ((-1, gap[0]), (1, gap[1])):
        mine = total = 0
        number = start
        while total < max(missed, NEIGHBOURS_MIN) and 0 <= number <= SLICES:
            tallies = [one.slices.get(number) for one in thing.versions]
            total += sum(tally.n for tally in tallies if tally is not None)
            tally = version.slices.get(number)
            mine += 0 if tally is None else tally.n
            number += step
        shares.append((mine + 1) / (total + 2))  # Laplace: a share of few is not 0 nor 1
    return (1 - min(shares)) ** missed < CHANCE_MAX


def between(version: Version, first: int, until: int | None) -> Tally:
    """The units of a version from slice `first` on, before slice `until`."""
    return sum(
        (
            tally
            for number, tally in version.slices.items()
            if number >= first and (until is None or number < until)
        ),
        Tally(),
    )


def _arm(thing: Thing, version: Version, since_ns: int, until_ns: int) -> Arm:
    return Arm(
        kind=thing.kind,
        subject=thing.subject,
        version=version.name,
        since_ns=since_ns,
        until_ns=until_ns,
    )
