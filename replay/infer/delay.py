"""How long a caller waits before it calls again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from replay.infer.jitter import Jitter, learn_jitter
from replay.infer.timing import middle_of, quantile, spread
from replay.infer.view import Instance
from replay.leaves import Leaves, is_number
from replay.recording import RecordedStep

PPM = 1_000_000
TABLE_MAX = 32
_COEFFICIENTS = ((1, 1), (3, 2), (2, 1), (5, 2), (3, 1), (4, 1), (5, 1), (10, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The wait before the next attempt: `table_ns[n - 1]` after attempt n, times a ratio in ppm.

    When `field` is set, the wait is that field of the answer times `unit_ns` instead.
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
    field: str = ""
    unit_ns: int = 0
    jitter: Jitter | None = None

    def after(
        self, number: int, response: Leaves, draw: float | None = None
    ) -> tuple[int, int, int]:
        """Give usual, least and longest wait after attempt `number`."""
        base = self.table_ns[min(number, len(self.table_ns)) - 1]
        stated = response.get(self.field) if self.field else None
        if isinstance(stated, int | float) and not isinstance(stated, bool):
            base = int(stated * self.unit_ns)
        usual, low, high = self.usual_ppm, self.low_ppm, self.high_ppm
        if self.jitter is not None and draw is not None:
            usual, low, high = self.jitter.ratios(draw)
        return base * usual // PPM, max(base * low // PPM, 0), base * high // PPM


def learn_delay(instances: Sequence[Instance], declared: RecordedStep | None) -> Delay | None:
    waits: dict[int, list[int]] = {}
    drawn: dict[int, list[float | None]] = {}
    answers: list[tuple[int, Leaves]] = []
    for instance in instances:
        pairs = zip(instance.attempts, instance.attempts[1:], strict=False)
        for number, (first, second) in enumerate(pairs, 1):
            wait = max(second.start_ns - first.end_ns, 0)
            waits.setdefault(number, []).append(wait)
            drawn.setdefault(number, []).append(first.draws[0] if first.draws else None)
            answers.append((wait, first.response))
    stated = _declared_table(declared)
    if not waits and stated is None:
        return None
    draws = [draw for number in sorted(drawn) for draw in drawn[number]]
    form, table = ("declared", stated) if stated is not None else _fit(waits, draws)
    ratios = _ratios(waits, table)
    field, unit = _proportional(answers, ratios)
    if field:
        values = [(wait, answer[field]) for wait, answer in answers if is_number(answer.get(field))]
        ratios = [wait * PPM // max(int(value * unit), 1) for wait, value in values]  # type: ignore[operator]
    usual, low, high = _interval(ratios, stated is not None)
    jitter = None if field else learn_jitter(ratios, draws)
    return Delay(
        form=f"{field} of the answer" if field else form,
        table_ns=table,
        usual_ppm=usual,
        low_ppm=low,
        high_ppm=high,
        seen=len(ratios),
        longest_seen=TABLE_MAX if field or stated is not None else max(waits),
        declared=stated is not None and not field,
        loose=jitter is None and _is_loose(ratios),
        unlike=stated is not None and bool(ratios) and not 100_000 <= usual <= 3 * PPM,
        field=field,
        unit_ns=unit,
        jitter=jitter,
    )


def _declared_table(declared: RecordedStep | None) -> tuple[int, ...] | None:
    if declared is None or declared.backoff_initial_ms is None:
        return None
    coefficient = float(declared.backoff_coefficient or "1")
    initial = max(declared.backoff_initial_ms, 0) * 1_000_000
    if not 0 < coefficient <= 1000:
        return None
    return tuple(int(initial * min(coefficient**n, 1e12)) for n in range(TABLE_MAX))


def _ratios(waits: Mapping[int, Sequence[int]], table: Sequence[int]) -> list[int]:
    return [
        wait * PPM // max(table[min(number, len(table)) - 1], 1)
        for number in sorted(waits)
        for wait in waits[number]
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


def _fit(
    waits: Mapping[int, Sequence[int]], draws: Sequence[float | None]
) -> tuple[str, tuple[int, ...]]:
    """Choose constant, linear or exponential (with a cap) by least relative error.

    Where recorded draws explain the waits, by what they leave unexplained.
    """
    numbers = sorted(waits)
    flat = [wait for number in numbers for wait in waits[number]]
    steps = range(TABLE_MAX)
    candidates = [("constant", tuple(middle_of(flat) for _ in steps))]
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
        jitter = learn_jitter(_ratios(waits, table), draws)
        if jitter is not None:
            # Never as far off as a wait without a reason.
            return jitter.high_ppm - jitter.low_ppm - 10 * PPM
        off = sum(abs(ratio - PPM) for ratio in _ratios(waits, table)) // max(len(flat), 1)
        return off + 2000 * place

    return min(enumerate(candidates), key=error)[1]


def _proportional(answers: Sequence[tuple[int, Leaves]], ratios: Sequence[int]) -> tuple[str, int]:
    """Find a field of the answer that the wait follows, as Retry-After does."""
    scatter = sum(abs(ratio - PPM) for ratio in ratios) // max(len(ratios), 1)
    for path in sorted({path for _, answer in answers for path in answer}):
        pairs = [
            (wait, value)
            for wait, answer in answers
            if isinstance(value := answer.get(path), int | float) and is_number(value) and value > 0
        ]
        if len(pairs) < 3 or len(pairs) * 100 < 95 * len(answers):
            continue
        if len({value for _, value in pairs}) < 2:
            continue
        unit = middle_of([int(wait / value) for wait, value in pairs])
        if unit <= 0:
            continue
        off = sum(abs(wait * PPM // max(int(value * unit), 1) - PPM) for wait, value in pairs)
        if off // len(pairs) < min(PPM // 10, scatter // 2):
            return path, unit
    return "", 0
