"""Resampling whose draws follow from the data: the same data give the same interval.

The stream is SHAKE-256 over a seed that is the hash of the data, so no version of a library of
random numbers is in the answer. Only draws and counts are done in arrays: sums of floats in them
would depend on the processor.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from analyzer.statistics.intervals import CONFIDENCE, Interval

Places = NDArray[np.int64]
Counts = Sequence[int]
Distance = Callable[[Counts, Counts], float]
WORD_BYTES = 8
DRAWS_MAX = 1_000_000
"""Draws of one estimate: of much data fewer resamples are made, so that an answer comes soon."""
RESAMPLES_MIN = 99
EQUAL_WITHIN = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Sureness:
    """How sure a distance is: one that cannot be below 0, and that chance alone makes larger.

    `as_counted` is the distance by its formula, `by_chance` its mean where nothing but chance parts
    the two sides, `p_value` how often chance gives at least as much. `value` is the distance with
    what chance adds to it taken off, `low` and `high` are its bounds.
    """

    value: float
    as_counted: float
    low: float
    high: float
    by_chance: float
    p_value: float


def seed_of(parts: Sequence[object]) -> bytes:
    """A seed from what is compared, in its order."""
    return hashlib.sha256(repr(list(parts)).encode("utf-8", "surrogatepass")).digest()


def words(seed: bytes, rows: int, columns: int) -> NDArray[np.uint64]:
    """64-bit numbers, as many as asked for."""
    stream = hashlib.shake_256(seed).digest(rows * columns * WORD_BYTES)
    return np.frombuffer(stream, dtype=">u8").astype(np.uint64).reshape(rows, columns)


def within_reach(resamples: int, size: int) -> int:
    """How many resamples of so many values are made."""
    return min(resamples, max(RESAMPLES_MIN, DRAWS_MAX // max(size, 1)))


def with_replacement(seed: bytes, resamples: int, size: int) -> Places:
    """Places below `size`, a row for each resample; no place is likelier by more than size/2⁶⁴."""
    return (words(seed, resamples, size) % np.uint64(size)).astype(np.int64)


def percentiles(found: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The percentile interval of resampled estimates (B. Efron 1979)."""
    ordered = sorted(found)
    last = len(ordered) - 1
    cut = int((1 - confidence) / 2 * last)
    return Interval(low=ordered[cut], high=ordered[last - cut])


def bootstrap(
    values: Sequence[object], estimate: Callable[[Places], float], resamples: int
) -> Interval:
    """The percentile interval of an estimate over places drawn with replacement."""
    size = len(values)
    drawn = with_replacement(seed_of(values), within_reach(resamples, size), size)
    return percentiles([estimate(row) for row in drawn])


def difference_of_means(sample: Sequence[float], base: Sequence[float], resamples: int) -> Interval:
    """The percentile interval of mean(sample) - mean(base), each side drawn on its own."""
    resamples = within_reach(resamples, len(sample) + len(base))
    means = []
    for side, values in enumerate((sample, base)):
        drawn = with_replacement(seed_of([side, *values]), resamples, len(values))
        held = np.array(values)
        means.append([fsum(held[row]) / len(values) for row in drawn])
    return percentiles([first - second for first, second in zip(*means, strict=True)])


def distance_of_counts(
    bins: Sequence[int], first: int, kinds: int, distance: Distance, resamples: int
) -> Sureness:
    """How sure `distance(later, base)` is, of values in `kinds` bins of which `first` are the base.

    Chance: the values in a random order (B. Phipson, G. K. Smyth 2010 for the p-value); what it
    adds: both sides drawn with replacement, as `sureness` has it.
    """
    held, seed = np.array(bins, dtype=np.int64), seed_of([first, *bins])
    size = len(held)
    resamples = within_reach(resamples, size)
    whole = np.bincount(held, minlength=kinds)
    base = np.bincount(held[:first], minlength=kinds)
    value = distance((whole - base).tolist(), base.tolist())
    keys = words(seed + b"order", resamples, size)
    chosen = np.argpartition(keys, first, axis=1)[:, :first]
    shuffled = _counted(held[chosen], kinds)
    by_chance = [
        distance(there, here)
        for there, here in zip((whole - shuffled).tolist(), shuffled.tolist(), strict=True)
    ]
    sides = [
        _counted(part[with_replacement(seed + name, resamples, len(part))], kinds).tolist()
        for name, part in ((b"later", held[first:]), (b"base", held[:first]))
    ]
    drawn = [distance(there, here) for there, here in zip(*sides, strict=True)]
    return sureness(value, by_chance, drawn)


def sureness(value: float, by_chance: Sequence[float], drawn: Sequence[float]) -> Sureness:
    """Of a distance, the same where chance alone is at work, and resampled from the data.

    What resampling adds to the distance is its bias (B. Efron, R. Tibshirani 1993, chapter 10). The
    distance as counted has it once and the resamples twice, so their percentiles are moved down by
    twice the bias. The interval begins at 0 unless the p-value excludes that.
    """
    reached = sum(it >= value - EQUAL_WITHIN for it in by_chance)
    p_value = (reached + 1) / (len(by_chance) + 1)
    bias = max(0.0, fsum(drawn) / len(drawn) - value)
    bounds = percentiles(drawn)
    found = max(0.0, value - bias)
    low = 0.0 if p_value > 1 - CONFIDENCE else max(0.0, min(found, bounds.low - 2 * bias))
    return Sureness(
        value=found,
        as_counted=value,
        low=low,
        high=max(found, bounds.high - 2 * bias),
        by_chance=fsum(by_chance) / len(by_chance),
        p_value=p_value,
    )


def _counted(bins: Places, kinds: int) -> Places:
    """How many values of each row lie in each bin."""
    rows = len(bins)
    flat = (bins + np.arange(rows)[:, None] * kinds).ravel()
    return np.bincount(flat, minlength=rows * kinds).reshape(rows, kinds)
