"""Resampling whose draws follow from the data: the same data give the same interval.

The stream is SHA-256 in counter mode over a seed that is the hash of the data; indices are taken
from it without bias (a draw that would favour some index is thrown away).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

from analyzer.statistics.intervals import CONFIDENCE, Interval

WORD_BYTES = 8
DRAWS_MAX = 1_000_000
"""Draws of one estimate: of much data fewer resamples are made, so that an answer comes soon."""
RESAMPLES_MIN = 99
WORDS_PER_BLOCK = 4


def seed_of(parts: Sequence[object]) -> bytes:
    """A seed from what is compared, in its order."""
    return hashlib.sha256(repr(list(parts)).encode("utf-8", "surrogatepass")).digest()


def words(seed: bytes) -> Iterator[int]:
    """64-bit numbers without end."""
    count = 0
    while True:
        block = hashlib.sha256(seed + count.to_bytes(8)).digest()
        for at in range(0, WORD_BYTES * WORDS_PER_BLOCK, WORD_BYTES):
            yield int.from_bytes(block[at : at + WORD_BYTES])
        count += 1


def index_below(stream: Iterator[int], limit: int) -> int:
    """An index from 0 up to but without `limit`."""
    fair = (1 << 64) - (1 << 64) % limit
    for word in stream:
        if word < fair:
            return word % limit
    raise AssertionError("the stream has no end")


def _within_reach(resamples: int, size: int) -> int:
    return min(resamples, max(RESAMPLES_MIN, DRAWS_MAX // max(size, 1)))


def bootstrap(
    values: Sequence[object], estimate: Callable[[Sequence[int]], float], resamples: int,
    confidence: float = CONFIDENCE,
) -> Interval:  # fmt: skip
    """The percentile interval of an estimate over indices drawn with replacement (Efron 1979)."""
    stream = words(seed_of(values))
    size = len(values)
    resamples = _within_reach(resamples, size)
    found = sorted(
        estimate([index_below(stream, size) for _ in range(size)]) for _ in range(resamples)
    )
    tail = (1 - confidence) / 2
    last = resamples - 1
    return Interval(low=found[int(tail * last)], high=found[last - int(tail * last)])


def permutation_p(
    statistic: Callable[[Sequence[int]], float], size: int, seed: bytes, resamples: int
) -> float:
    """How often a random order gives at least the statistic of the order as it is.

    `statistic` takes the order of `size` items as indices. (b + 1) / (m + 1), which is never 0
    (B. Phipson, G. K. Smyth 2010).
    """
    stream = words(seed)
    resamples = _within_reach(resamples, size)
    observed = statistic(range(size))
    order = list(range(size))
    reached = 0
    for _ in range(resamples):
        for place in range(size - 1, 0, -1):
            other = index_below(stream, place + 1)
            order[place], order[other] = order[other], order[place]
        reached += statistic(order) >= observed - 1e-12
    return (reached + 1) / (resamples + 1)
