"""How well sagas of many flows were undone: shares and times, each with its count and its unknown.

In: flows with their verdicts, in any order. Out: `SagaMeasures`, the same for every order.
Definitions: notes 4.3 and 4.5 after Garcia-Molina & Salem (1987). A flow belongs to the population
when a step of it has a saga role; what a guess from names alone rests on counts as unknown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from decimal import Decimal
from fractions import Fraction

from analyzer.sagas.undoing import StepUndoing, Undoing, Way, undone_of
from analyzer.statistics.intervals import Interval
from analyzer.statistics.proportions import wilson
from analyzer.statistics.quantiles import quantile_ranks
from store.conclusions import Flow, SagaVerdict

P95 = Fraction(95, 100)
_KNOWN = {"yes": True, "no": False, "unknown": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`hits` of `n` that are known, and how many more are not."""

    hits: int
    n: int
    unknown: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        """Its 95 % Wilson interval."""
        return wilson(self.hits, self.n)

    @property
    def unknown_share(self) -> float | None:
        """How much of the population is not known."""
        every = self.n + self.unknown
        return self.unknown / every if every else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A quantile of times in nanoseconds; a bound is None where the values are too few for it."""

    value_ns: int
    low_ns: int | None
    high_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Times that came to an end, sorted; `standing` never did, `unknown` cannot be told."""

    values_ns: tuple[int, ...]
    standing: int
    unknown: int

    def quantile(self, share: Fraction) -> Quantile | None:
        """A quantile by order statistics; None of nothing. Those still standing are left out."""
        if not self.values_ns:
            return None
        ranks = quantile_ranks(len(self.values_ns), share)
        return Quantile(
            value_ns=self.values_ns[ranks.rank - 1],
            low_ns=None if ranks.low is None else self.values_ns[ranks.low - 1],
            high_ns=None if ranks.high is None else self.values_ns[ranks.high - 1],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PathVariant:
    """One compensation path: what was undone in which order, and in how many flows.

    A step is its name, with `!` when its compensation failed and `?` when nobody knows.
    """

    path: tuple[str, ...]
    flows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyLeft:
    """Money of aborted sagas that was not given back, or given back too often, in one currency."""

    currency: str
    left: Decimal
    given_twice: Decimal
    flows: int
    """Flows whose account does not come to zero."""
    n: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMeasure:
    """One compensatable step. `done` executions were in flows that were given up: of these `undone`
    were compensated, `failed` had a compensation that did not work, `without` none that was seen;
    `tries` are attempts of their compensations, `p95_ns` how long a compensation took."""

    service: str
    name: str
    callee: str
    executed: int
    done: int
    undone: int
    failed: int
    without: int
    tries: int
    compensations: int
    p95_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaMeasures:
    """All measures of one population.

    `flows` have a step with a saga role; `verdicts` are those of every flow, by check.
    `aborts`: flows given up, of those that ended. `compensated`: aborted flows with effects that
    were undone in full, of those that had any to undo. `coverage`: completed compensatable steps of
    aborted flows that were undone. `inconsistent`: from the first effect of an aborted flow to the
    end of its last compensation. `tries`: attempts made by all compensations, and their number.
    """

    flows: int
    verdicts: dict[str, dict[str, int]]
    aborts: Share
    compensated: Share
    coverage: Share
    inconsistent: Times
    depth_max: int
    compensations: int
    compensation_attempts: int
    paths: tuple[PathVariant, ...]
    money: tuple[MoneyLeft, ...]
    stock: Share
    """Resources of aborted sagas, counted in effects, of which nothing was left standing."""
    steps: tuple[StepMeasure, ...]
    ways: tuple[tuple[Way, int], ...]
    """Where the aborted sagas turned and how they ended, with how many, the most frequent first."""


@dataclass(slots=True)
class _Tally:
    hits: int = 0
    n: int = 0
    unknown: int = 0

    def add(self, hit: bool | None, flows: int) -> None:
        if hit is None:
            self.unknown += flows
        else:
            self.n += flows
            self.hits += hit * flows

    @property
    def share(self) -> Share:
        return Share(hits=self.hits, n=self.n, unknown=self.unknown)


@dataclass(slots=True)
class _Money:
    left: Decimal = Decimal(0)
    twice: Decimal = Decimal(0)
    flows: int = 0
    tally: _Tally = field(default_factory=_Tally)


@dataclass(slots=True)
class _Steps:
    executed: int = 0
    done: int = 0
    undone: int = 0
    failed: int = 0
    tries: int = 0
    compensations: int = 0
    times: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Measuring:
    """Adds up flows, one after the other or many of a kind at once; memory grows with kinds."""

    flows: int = 0
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    aborts: _Tally = field(default_factory=_Tally)
    compensated: _Tally = field(default_factory=_Tally)
    coverage: _Tally = field(default_factory=_Tally)
    stock: _Tally = field(default_factory=_Tally)
    times: list[int] = field(default_factory=list)
    standing: int = 0
    times_unknown: int = 0
    depth_max: int = 0
    compensations: int = 0
    attempts: int = 0
    paths: Counter[tuple[str, ...]] = field(default_factory=Counter)
    money: dict[str, _Money] = field(default_factory=dict)
    steps: dict[tuple[str, str, str], _Steps] = field(default_factory=dict)
    ways: Counter[Way] = field(default_factory=Counter)

    def add(self, flow: Flow, verdict: SagaVerdict) -> None:
        """Take in one flow; of one without a saga role, its verdicts alone."""
        undone = undone_of(flow, verdict)
        self.take(undone.kind)
        self.take_times(undone.kind, undone.times_ns)

    def take(self, kind: Undoing, flows: int = 1) -> None:
        """Take in so many flows of one kind, but for their times."""
        for check, said in kind.checks:
            self.verdicts.setdefault(check, Counter())[said] += flows
        if not kind.role:
            return
        self.flows += flows
        self.aborts.add(kind.aborted, flows)
        self.compensations += len(kind.path) * flows
        self.attempts += kind.attempts * flows
        self.depth_max = max(self.depth_max, kind.depth)
        if kind.path:
            self.paths[kind.path] += flows
        if kind.compensated:
            self.compensated.add(_KNOWN[kind.compensated], flows)
        self.standing += flows * (kind.half == "standing")
        self.times_unknown += flows * (kind.half == "unknown")
        for undone in kind.covered:
            self.coverage.add(undone, flows)
        for balanced in kind.stock:
            self.stock.add(balanced, flows)
        self._money(kind, flows)
        for step in kind.steps:
            self._step(step, flows)
        if kind.way is not None:
            self.ways[kind.way] += flows

    def take_times(self, kind: Undoing, times_ns: Sequence[int]) -> None:
        """Take in the times of one flow of a kind."""
        place = 0
        if kind.half == "ended":
            self.times.append(times_ns[0])
            place = 1
        for step in kind.steps:
            if step.timed:
                own = self.steps[step.service, step.name, step.callee]
                own.times += times_ns[place : place + step.timed]
                place += step.timed

    def _money(self, kind: Undoing, flows: int) -> None:
        for currency, left in kind.money:
            money = self.money.setdefault(currency, _Money())
            money.tally.add(None if left is None else left == 0, flows)
            if left:
                money.left += max(left, Decimal(0)) * flows
                money.twice += max(-left, Decimal(0)) * flows
        for currency in {currency for currency, left in kind.money if left}:
            self.money[currency].flows += flows

    def _step(self, step: StepUndoing, flows: int) -> None:
        own = self.steps.setdefault((step.service, step.name, step.callee), _Steps())
        own.executed += step.executed * flows
        own.done += step.done * flows
        own.undone += step.undone * flows
        own.failed += step.failed * flows
        own.tries += step.tries * flows
        own.compensations += step.compensations * flows

    def measures(self) -> SagaMeasures:
        """What was added up."""
        paths = sorted(self.paths.items(), key=lambda item: (-item[1], item[0]))
        return SagaMeasures(
            flows=self.flows,
            verdicts={name: dict(sorted(it.items())) for name, it in self.verdicts.items()},
            aborts=self.aborts.share,
            compensated=self.compensated.share,
            coverage=self.coverage.share,
            inconsistent=Times(
                values_ns=tuple(sorted(self.times)),
                standing=self.standing,
                unknown=self.times_unknown,
            ),
            depth_max=self.depth_max,
            compensations=self.compensations,
            compensation_attempts=self.attempts,
            paths=tuple(PathVariant(path=path, flows=flows) for path, flows in paths),
            money=tuple(
                MoneyLeft(
                    currency=currency,
                    left=it.left,
                    given_twice=it.twice,
                    flows=it.flows,
                    n=it.tally.n,
                    unknown=it.tally.unknown,
                )
                for currency, it in sorted(self.money.items())
            ),
            stock=self.stock.share,
            steps=tuple(_measured(self.steps)),
            ways=tuple(sorted(self.ways.items(), key=lambda item: (-item[1], astuple(item[0])))),
        )


def measure(sagas: Iterable[tuple[Flow, SagaVerdict]]) -> SagaMeasures:
    """The measures of these flows."""
    measuring = Measuring()
    for flow, verdict in sagas:
        measuring.add(flow, verdict)
    return measuring.measures()


def _measured(steps: Mapping[tuple[str, str, str], _Steps]) -> list[StepMeasure]:
    """One row per step, those with most left to undo first."""
    rows = []
    for (service, name, callee), it in steps.items():
        times = sorted(it.times)
        rows.append(
            StepMeasure(
                service=service,
                name=name,
                callee=callee,
                executed=it.executed,
                done=it.done,
                undone=it.undone,
                failed=it.failed,
                without=it.done - it.undone - it.failed,
                tries=it.tries,
                compensations=it.compensations,
                p95_ns=times[quantile_ranks(len(times), P95).rank - 1] if times else None,
            )
        )
    return sorted(
        rows, key=lambda it: (-it.failed - it.without, -it.done, it.service, it.name, it.callee)
    )
