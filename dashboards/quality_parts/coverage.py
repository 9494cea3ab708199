"""Who was heard when: records of each service by step of time, and the silences between. Pure.

In: rows of `sql/heard_in_time.sql` and its like. Out: a `Coverage`. No record in a step does not
say that nothing happened in it: that is unknown, but where somebody called the service meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from dashboards.summary import BUCKET_COUNT_MAX, bucket_width_ns

HOUR_NS = 3_600_000_000_000
STEPS_MAX = 1_000  # then a step is longer than an hour
Row = tuple[str, int, int]
"""Name, number of the step since 1970, records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Records of one name, and calls that others made of it, in each step."""

    name: str
    records: Sequence[int]
    called: Sequence[int]

    @property
    def total(self) -> int:
        """All its records."""
        return sum(self.records)

    @property
    def steps(self) -> int:
        """Steps in which it was heard."""
        return sum(map(bool, self.records))

    @property
    def silence(self) -> tuple[int, int]:
        """The longest run of steps without a record, as [first, end); the first of equal ones."""
        runs, at = [(0, 0)], 0
        for heard, run in groupby(self.records, bool):
            length = len(list(run))
            runs += [] if heard else [(at, at + length)]
            at += length
        return max(runs, key=lambda run: run[1] - run[0])

    @property
    def unanswered(self) -> int:
        """Calls in steps in which nothing was heard of it."""
        return sum(self.folded(1).called)

    def folded(self, many: int) -> "Heard":
        """With so many steps made one; of the calls those in a step in which it was silent."""
        silent = [
            0 if records else calls
            for calls, records in zip(self.called, self.records, strict=True)
        ]
        return Heard(
            name=self.name, records=_folded(self.records, many), called=_folded(silent, many)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Steps of `width_ns` from `first_ns` on, and who was heard in them: those called while silent
    first, then those silent longest, then those never heard."""

    first_ns: int
    width_ns: int
    steps: int
    heard: Sequence[Heard]

    @property
    def quiet_steps(self) -> int:
        """Steps in which nothing was heard of anybody."""
        return sum(not any(one.records[at] for one in self.heard) for at in range(self.steps))

    def folded(self) -> "Coverage":
        """With few enough steps for a drawing, as `Heard.folded` makes them."""
        many = -(-self.steps // BUCKET_COUNT_MAX)
        return Coverage(
            first_ns=self.first_ns,
            width_ns=self.width_ns * many,
            steps=-(-self.steps // many),
            heard=[one.folded(many) for one in self.heard],
        )


def step_ns(first_ns: int, last_ns: int) -> int:
    """Steps of an hour; shorter ones where the range has few hours, longer ones where many."""
    span_ns = last_ns - first_ns
    if span_ns < BUCKET_COUNT_MAX * HOUR_NS:
        return min(HOUR_NS, bucket_width_ns(span_ns))
    return HOUR_NS * -(-span_ns // (HOUR_NS * STEPS_MAX))


def coverage_of(
    heard: Iterable[Row], called: Iterable[Row], first_ns: int, last_ns: int, width_ns: int
) -> Coverage:
    """What was recorded from the first to the last moment, both in it."""
    low = first_ns // width_ns
    steps = last_ns // width_ns - low + 1
    records, calls = _by_name(heard, low, steps), _by_name(called, low, steps)
    none = [0] * steps
    rows = [
        Heard(name=name, records=records.get(name, none), called=calls.get(name, none))
        for name in sorted({*records, *calls})
    ]
    return Coverage(
        first_ns=low * width_ns,
        width_ns=width_ns,
        steps=steps,
        heard=sorted(rows, key=_gravest),
    )


def _gravest(one: Heard) -> tuple[bool, int, int, str]:
    begin, end = one.silence
    return not one.total, -one.unanswered, begin - end, one.name


def _by_name(rows: Iterable[Row], low: int, steps: int) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for name, step, records in rows:
        if 0 <= step - low < steps:
            found.setdefault(name, [0] * steps)[step - low] += records
    return found


def _folded(counts: Sequence[int], many: int) -> Sequence[int]:
    return [sum(counts[at : at + many]) for at in range(0, len(counts), many)]
