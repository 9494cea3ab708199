"""How long a caller waits before it calls again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from replay.infer.jitter import Jitter, learn_jitter
from replay.infer.timing import CASES_MIN, UNITS_NS, middle_of, quantile, spread
from replay.infer.tree import ref_name
from replay.infer.view import Instance, Ref
from replay.leaves import Scalar, is_number
from replay.recording import RecordedStep

PPM = 1_000_000
TABLE_MAX = 32
_COEFFICIENTS = ((1, 1), (3, 2), (2, 1), (5, 2), (3, 1), (4, 1), (5, 1), (10, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The wait before the next attempt: `table_ns[n - 1]` after attempt n, times a ratio in ppm.

    Where `ref` holds a number, the wait is that number times `unit_ns` instead; ("own", path) is
    in the answer itself.
    `jitter` is the ratio after a recorded draw.
    """

    form: str
    table_ns: tuple[int, ...]
    usual_ppm: int
    low_ppm: int
    high_ppm: int
    seen: int
    longest_seen: int
    declared: bool = False
    loose: bool = False
    unlike: bool = False
    ref: Ref = ()
    unit_ns: int = 0
    jitter: Jitter | None = None

    def after(
        self, number: int, read: Callable[[Ref], Scalar], draw: float | None = None
    ) -> tuple[int, int, int]:
        """Give usual, least and longest wait after attempt `number`."""
        base = self.table_ns[min(number, len(self.table_ns)) - 1]
        stated = read(self.ref) if self.ref else None
        if isinstance(stated, int | float) and not isinstance(stated, bool):
            base = int(stated * self.unit_ns)
        usual, low, high = self.usual_ppm, self.low_ppm, self.high_ppm
        if self.jitter is not None and draw is not None:
            usual, low, high = self.jitter.ratios(draw)
        return base * usual // PPM, max(base * low // PPM, 0), base * high // PPM


class _Sample(NamedTuple):
    """One wait after attempt `number`, what was drawn for it, and the values known by then."""

    number: int
    wait: int
    draw: float | None
    known: Mapping[Ref, Scalar]


def learn_delay(
    runs: Sequence[tuple[Instance, Mapping[Ref, Scalar]]], declared: RecordedStep | None
) -> Delay | None:
    """Fit the waits between attempts; each run comes with what was known before it."""
    samples = [
        _Sample(
            number,
            max(second.start_ns - first.end_ns, 0),
            first.draws[0] if first.draws else None,
            {**known, **{("own", path): value for path, value in first.response.items()}},
        )
        for instance, known in runs
        for number, (first, second) in enumerate(pairwise(instance.attempts), 1)
    ]
    stated = _declared_table(declared)
    if not samples and stated is None:
        return None
    form, table = ("declared", stated) if stated is not None else _fit(samples)
    ratios = _ratios(samples, table)
    ref, unit = _proportional(samples, ratios)
    others = [sample for sample in samples if not _stated(sample, ref)]
    if ref:
        if others and stated is None:
            form, table = _fit(others)
        said = [sample for sample in samples if _stated(sample, ref)]
        ratios = _ratios(others, table) + [_ratio(sample, ref, unit) for sample in said]
    usual, low, high = _interval(ratios, stated is not None)
    jitter = None if ref else learn_jitter(ratios, [sample.draw for sample in samples])
    return Delay(
        form=f"{ref_name(ref)} as stated" if ref else form,
        table_ns=table,
        usual_ppm=usual,
        low_ppm=low,
        high_ppm=high,
        seen=len(ratios),
        longest_seen=(
            TABLE_MAX
            if stated is not None or not others
            else max(sample.number for sample in samples)
        ),
        declared=stated is not None and not ref,
        loose=jitter is None and _is_loose(ratios),
        unlike=stated is not None and bool(ratios) and not 100_000 <= usual <= 3 * PPM,
        ref=ref,
        unit_ns=unit,
        jitter=jitter,
    )


def _stated(sample: _Sample, ref: Ref) -> bool:
    value = sample.known.get(ref) if ref else None
    return isinstance(value, int | float) and is_number(value) and value > 0


def _ratio(sample: _Sample, ref: Ref, unit: int) -> int:
    return sample.wait * PPM // max(int(sample.known[ref] * unit), 1)  # type: ignore[operator]


def _declared_table(declared: RecordedStep | None) -> tuple[int, ...] | None:
    if declared is None or declared.backoff_initial_ms is None:
        return None
    coefficient = float(declared.backoff_coefficient or "1")
    initial = max(declared.backoff_initial_ms, 0) * 1_000_000
    if not 0 < coefficient <= 1000:
        return None
    return tuple(int(initial * min(coefficient**n, 1e12)) for n in range(TABLE_MAX))


def _ratios(samples: Sequence[_Sample], table: Sequence[int]) -> list[int]:
    return [
        sample.wait * PPM // max(table[min(sample.number, len(table)) - 1], 1) for sample in samples
    ]


def _is_loose(ratios: Sequence[int]) -> bool:
    if len(ratios) < 5:
        return False
    return quantile(ratios, 900) > 4 * max(quantile(ratios, 100), 1)


def _interval(ratios: Sequence[int], stated: bool) -> tuple[int, int, int]:
    if not ratios:
        return PPM, 0 if stated else PPM // 2, 2 * PPM
    found = spread(ratios, floor_ns=PPM // 100)
    low, high = found.low, found.high
    if len(ratios) < 8:
        low, high = min(low, PPM // 2), max(high, PPM * 17 // 10)
    return found.usual, low, high


def _fit(samples: Sequence[_Sample]) -> tuple[str, tuple[int, ...]]:
    """Choose constant, linear or exponential (with a cap) by least relative error.

    Where recorded draws explain the waits, by what they leave unexplained.
    """
    waits: dict[int, list[int]] = {}
    for sample in samples:
        waits.setdefault(sample.number, []).append(sample.wait)
    draws = [sample.draw for sample in samples]
    numbers = sorted(waits)
    steps = range(TABLE_MAX)
    middle = middle_of([sample.wait for sample in samples])
    candidates = [("constant", tuple(middle for _ in steps))]
    if len(numbers) > 1:
        first, last = middle_of(waits[numbers[0]]), middle_of(waits[numbers[-1]])
        for top, bottom in _COEFFICIENTS[1:]:
            scaled = [
                wait * bottom ** (n - 1) // top ** (n - 1) for n in numbers for wait in waits[n]
            ]
            base = middle_of(scaled)
            table = tuple(base * top**n // bottom**n for n in steps)
            candidates.append((f"exponential {top}/{bottom}", table))
            if len(numbers) > 2:
                capped = tuple(min(value, last) for value in table)
                candidates.append((f"exponential {top}/{bottom} capped", capped))
        if last > first:
            rise = (last - first) // (numbers[-1] - numbers[0])
            linear = tuple(max(1, first + rise * (n + 1 - numbers[0])) for n in steps)
            candidates.append(("linear", linear))

    def error(candidate: tuple[int, tuple[str, tuple[int, ...]]]) -> int:
        place, (_, table) = candidate
        ratios = _ratios(samples, table)
        jitter = learn_jitter(ratios, draws)
        if jitter is not None:
            # Never as far off as a wait without a reason.
            return jitter.high_ppm - jitter.low_ppm - 10 * PPM
        off = sum(abs(ratio - PPM) for ratio in ratios) // max(len(samples), 1)
        return off + 2000 * place

    return min(enumerate(candidates), key=error)[1]


def _proportional(samples: Sequence[_Sample], ratios: Sequence[int]) -> tuple[Ref, int]:
    """Find a value that the wait follows where there is one, as Retry-After is.

    One of an earlier answer has to do so in a unit of time.
    """
    best: tuple[int, Ref, int] | None = None
    for ref in sorted({ref for sample in samples for ref in sample.known}):
        said = [row for row, sample in enumerate(samples) if _stated(sample, ref)]
        own = ref[0] == "own"
        values = {samples[row].known[ref] for row in said}
        if len(said) < (3 if own else CASES_MIN) or len(values) < (2 if own else 3):
            continue
        unit = middle_of([int(samples[row].wait / samples[row].known[ref]) for row in said])  # type: ignore[operator]
        if unit <= 0 or not (own or any(abs(unit - one) * 5 <= one for one in UNITS_NS)):
            continue
        off = sum(abs(_ratio(samples[row], ref, unit) - PPM) for row in said) // len(said)
        scatter = sum(abs(ratios[row] - PPM) for row in said) // len(said)
        found = (off, ref, unit)
        if off < min(PPM // 10, scatter // 2) and (best is None or found < best):
            best = found
    return ((), 0) if best is None else best[1:]
