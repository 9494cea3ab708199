"""Versions that were taken back, and whether that helped.

A rollback is a change to a version that was there before the one it replaces (v_k to v_j, j < k, by
first appearance). It was successful when the share of bad units came back inside the interval it
had before, within a window, and no compensation is left open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from analyzer.releases.arms import (
    CHANCE_MAX,
    SLICES,
    Arm,
    Episode,
    Tally,
    Thing,
    Version,
    between,
    episodes_of,
)
from analyzer.releases.settings import ReleaseSettings
from analyzer.statistics.proportions import newcombe, wilson

TAKEN_OVER: Final = 0.9
"""From this share of a slice on a version had replaced the other one; below, it was a canary."""
METRICS: Final = ("failed", "unsound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """One share before, during and after. `low` and `high` are the Wilson interval before;
    `back_ns`: from when on it was inside that interval again."""

    metric: str
    restored: str
    before: float | None
    before_n: int
    during: float | None
    during_n: int
    after: float | None
    after_n: int
    low: float | None
    high: float | None
    back_slice: int | None
    back_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """`restored` and `successful` are yes, no or insufficient. `sort` is rollback or
    canary_withdrawn; `at_ns` the start of the last unit of the version taken back. `meanwhile`:
    other versions that came before the share was back, so that they may have been what helped."""

    withdrawn: Arm
    back_to: str
    sort: str
    at_ns: int
    restored: str
    left_open: int
    successful: str
    recoveries: Sequence[Recovery]
    example_flow_id: str | None = None
    meanwhile: Sequence[str] = ()

    @property
    def back_ns(self) -> int | None:
        """From when on all shares were inside their intervals again; None when one is not."""
        moments = [one.back_ns for one in self.recoveries]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known and len(known) == len(moments) else None


def rollbacks_of(thing: Thing, settings: ReleaseSettings) -> list[Rollback]:
    """The rollbacks of one thing, in time, before it is known what they left open."""
    found = []
    for episode in (one for version in thing.versions[1:] for one in episodes_of(thing, version)):
        back_to = _successor(thing, episode, settings)
        if back_to is not None:
            found.append(_rollback(thing, episode, back_to, settings))
    return sorted(found, key=lambda one: (one.at_ns, one.withdrawn.version))


def _successor(thing: Thing, episode: Episode, settings: ReleaseSettings) -> Version | None:
    """The earlier version that did the work afterwards, None where a newer one did."""
    version = episode.version
    resumed = min((one for one in version.slices if one > episode.last), default=None)
    after = {
        one.name: between(one, episode.last + 1, resumed).n
        for one in thing.versions
        if one is not version
    }
    total = sum(after.values())
    best = max(thing.versions, key=lambda one: (after.get(one.name, 0), one.name))
    if best.first_ns >= version.first_ns or after.get(best.name, 0) < settings.rollback_n_min:
        return None
    newer = [one for one in thing.versions if one.first_ns > version.first_ns]
    if any(min(one.slices) <= episode.last + 1 for one in newer):
        return None
    mine, all_of = _during(thing, episode)
    if mine.n < settings.rollback_n_min:
        return None
    by_chance = (1 - mine.n / all_of) ** total if all_of else 1.0
    return best if by_chance < CHANCE_MAX else None


def _during(thing: Thing, episode: Episode) -> tuple[Tally, int]:
    """The version's units of the episode, and how many units there were of all versions."""
    until = episode.last + 1
    mine = between(episode.version, episode.first, until)
    return mine, sum(between(one, episode.first, until).n for one in thing.versions)


def _rollback(
    thing: Thing, episode: Episode, back_to: Version, settings: ReleaseSettings
) -> Rollback:
    since_ns, slice_ns = thing.since_ns, thing.slice_ns
    window = -(-settings.recovery_window_s * 1_000_000_000 // slice_ns)
    start = episode.last + 1
    resumed = min((one for one in episode.version.slices if one >= start), default=SLICES + 1)
    after = _by_slice(thing, start, min(start + window, resumed))
    before = between(back_to, 0, episode.first)
    during, _ = _during(thing, episode)
    recoveries = []
    for metric in METRICS:
        recovery = _recovery(metric, (before, during), after, settings)
        if recovery is not None:
            back = recovery.back_slice
            recoveries.append(
                replace(recovery, back_ns=None if back is None else since_ns + back * slice_ns)
            )
    restored = worst_of([one.restored for one in recoveries])
    end_ns = since_ns + (episode.last + 1) * slice_ns
    return Rollback(
        withdrawn=Arm(
            kind=thing.kind,
            subject=thing.subject,
            version=episode.version.name,
            since_ns=since_ns + episode.first * slice_ns,
            until_ns=end_ns,
        ),
        back_to=back_to.name,
        sort="rollback" if _took_over(thing, episode) else "canary_withdrawn",
        at_ns=min(end_ns, episode.version.last_ns),
        restored=restored,
        left_open=0,
        successful=restored,
        recoveries=tuple(recoveries),
    )


def _took_over(thing: Thing, episode: Episode) -> bool:
    for number, tally in episode.version.slices.items():
        if episode.first <= number <= episode.last:
            total = sum(one.slices[number].n for one in thing.versions if number in one.slices)
            if total > 1 and tally.n >= TAKEN_OVER * total:
                return True
    return False


def _by_slice(thing: Thing, first: int, until: int) -> dict[int, Tally]:
    """The units of all versions, slice by slice."""
    found: dict[int, Tally] = {}
    for version in thing.versions:
        for number, tally in version.slices.items():
            if first <= number < until:
                found[number] = found.get(number, Tally()) + tally
    return dict(sorted(found.items()))


def _recovery(
    metric: str,
    earlier: tuple[Tally, Tally],
    after: Mapping[int, Tally],
    settings: ReleaseSettings,
) -> Recovery | None:
    whole = sum(after.values(), Tally())
    before, during, then = (_share(metric, tally) for tally in (*earlier, whole))
    if before.n == during.n == then.n == 0:
        return None
    interval = wilson(before.bad, before.n)
    back = None
    if interval is not None and before.n >= settings.rollback_n_min:
        back = _back(metric, after, interval.high, settings)
    restored = "insufficient" if back is None else "yes"
    if back is None and min(before.n, then.n) >= settings.rollback_n_min:
        difference = newcombe(then.bad, then.n, before.bad, before.n)
        if difference is not None and difference.low > 0:
            restored = "no"
    return Recovery(
        metric=metric,
        restored=restored,
        before=before.share,
        before_n=before.n,
        during=during.share,
        during_n=during.n,
        after=then.share,
        after_n=then.n,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        back_slice=back,
    )


def _back(
    metric: str, after: Mapping[int, Tally], high: float, settings: ReleaseSettings
) -> int | None:
    """The first slice from which on the share, to the end of the window, is inside again, with so
    many units that it is not outside by more than the margin."""
    found = None
    rest = Tally()
    for number in sorted(after, reverse=True):
        rest = rest + after[number]
        counted = _share(metric, rest)
        interval = wilson(counted.bad, counted.n)
        if (
            interval is not None
            and counted.n >= settings.rollback_n_min
            and counted.bad / counted.n <= high
            and interval.high <= high + settings.share_margin
        ):
            found = number
    return found


@dataclass(frozen=True, slots=True)
class _Share:
    bad: int
    n: int

    @property
    def share(self) -> float | None:
        return self.bad / self.n if self.n else None


def _share(metric: str, tally: Tally) -> _Share:
    if metric == "failed":
        return _Share(tally.failed, tally.failed_known)
    return _Share(tally.unsound, tally.unsound_known)


def with_meanwhile(rollback: Rollback, things: Sequence[Thing]) -> Rollback:
    """The rollback with what else was new before its share was back: then it is not sure that it
    was the rollback that helped."""
    back_ns = rollback.back_ns
    if back_ns is None:
        return rollback
    meanwhile = tuple(
        f"{thing.kind} {thing.subject} {version.name}"
        for thing in things
        if (thing.kind, thing.subject) != (rollback.withdrawn.kind, rollback.withdrawn.subject)
        for version in thing.versions[1:]
        if rollback.at_ns < version.first_ns <= back_ns
    )
    if not meanwhile or rollback.restored != "yes":
        return replace(rollback, meanwhile=meanwhile)
    successful = "no" if rollback.successful == "no" else "insufficient"
    return replace(rollback, meanwhile=meanwhile, restored="insufficient", successful=successful)


def worst_of(answers: Sequence[str]) -> str:
    """The worst of yes, insufficient and no."""
    for answer in ("no", "insufficient"):
        if answer in answers:
            return answer
    return "yes" if answers else "insufficient"
