"""How well sagas of many flows were undone: shares and times, each with its count and its unknown.

In: flows with their verdicts, in any order. Out: `SagaMeasures`, the same for every order.
Definitions: notes 4.3 and 4.5 after Garcia-Molina & Salem (1987). A flow belongs to the population
when a step of it has a saga role; what a guess from names alone rests on counts as unknown.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from analyzer.derive.ending import completed, effective
from analyzer.sagas.conservation import balances
from analyzer.sagas.coverage import Coverage
from analyzer.sagas.view import SagaView
from analyzer.statistics.intervals import Interval
from analyzer.statistics.proportions import wilson
from analyzer.statistics.quantiles import quantile_ranks
from store.conclusions import Flow, FlowOutcome, SagaVerdict, Step, Verdict

UNSETTLED = frozenset({Verdict.UNKNOWN, Verdict.SUSPECTED, Verdict.OPEN})


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


@dataclass(slots=True)
class _Tally:
    hits: int = 0
    n: int = 0
    unknown: int = 0

    def add(self, hit: bool | None) -> None:
        if hit is None:
            self.unknown += 1
        else:
            self.n += 1
            self.hits += hit

    @property
    def share(self) -> Share:
        return Share(hits=self.hits, n=self.n, unknown=self.unknown)


@dataclass(slots=True)
class _Money:
    left: Decimal = Decimal(0)
    twice: Decimal = Decimal(0)
    flows: set[str] = field(default_factory=set)
    tally: _Tally = field(default_factory=_Tally)


@dataclass(slots=True)
class Measuring:
    """Adds up one flow after the other, so that memory does not grow with them."""

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

    def add(self, flow: Flow, verdict: SagaVerdict) -> None:
        """Take in one flow; of one without a saga role, its verdicts alone."""
        checks = {result.check: result.verdict for result in verdict.checks}
        for check, said in checks.items():
            self.verdicts.setdefault(check, Counter())[said.value] += 1
        view = SagaView(flow=flow, coverage=Coverage())
        if not view.roles:
            return
        self.flows += 1
        ended = flow.outcome not in (FlowOutcome.UNKNOWN, FlowOutcome.IN_PROGRESS)
        self.aborts.add((view.aborted if ended else None) if not view.words_alone else None)
        self._path(view)
        if view.aborted:
            self._aborted(view, checks)

    def _path(self, view: SagaView) -> None:
        self.compensations += len(view.compensations)
        self.attempts += sum(len(step.attempts) for step in view.compensations)
        if view.compensations:
            self.paths[tuple(_named(step) for step in view.compensations)] += 1
            depth = sum(view.undone(step) for step in view.to_undo)
            self.depth_max = max(self.depth_max, depth)

    def _aborted(self, view: SagaView, checks: dict[str, Verdict]) -> None:
        first, unseen = checks.get("S1"), checks.get("S8")
        whole: bool | None = True
        if Verdict.VIOLATION in (first, unseen):
            whole = False
        elif view.words_alone or first in UNSETTLED or unseen in UNSETTLED:
            whole = None
        if any(effect.certain for effect in view.effects) or whole is None:
            self.compensated.add(whole)
            self._time(view, whole)
        for step in view.to_undo:
            undone = view.undone(step)
            sure = undone or first is Verdict.VIOLATION
            self.coverage.add(undone if sure and not view.words_alone else None)
        for balance in balances(view.flow):
            if balance.counted or balance.currency is None:
                self.stock.add(None if balance.left is None else balance.left == 0)
            else:
                self._balance(view.flow.flow_id, balance.currency, balance.left)

    def _time(self, view: SagaView, whole: bool | None) -> None:
        ends = [_end(step) for step in view.compensations if effective(step)]
        known = [end for end in ends if end is not None]
        made = [effect.made_ns for effect in view.effects if effect.certain]
        if whole is None or (whole and not (known and made)):
            self.times_unknown += 1
        elif not whole:
            self.standing += 1
        else:
            self.times.append(max(0, max(known) - min(made)))

    def _balance(self, flow_id: str, currency: str, left: Decimal | None) -> None:
        money = self.money.setdefault(currency, _Money())
        money.tally.add(None if left is None else left == 0)
        if left:
            money.flows.add(flow_id)
            money.left += max(left, Decimal(0))
            money.twice += max(-left, Decimal(0))

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
                    flows=len(it.flows),
                    n=it.tally.n,
                    unknown=it.tally.unknown,
                )
                for currency, it in sorted(self.money.items())
            ),
            stock=self.stock.share,
        )


def measure(sagas: Iterable[tuple[Flow, SagaVerdict]]) -> SagaMeasures:
    """The measures of these flows."""
    measuring = Measuring()
    for flow, verdict in sagas:
        measuring.add(flow, verdict)
    return measuring.measures()


def _named(step: Step) -> str:
    if completed(step):
        return step.name
    return f"{step.name}{'?' if any(it.took_effect is None for it in step.attempts) else '!'}"


def _end(step: Step) -> int | None:
    ends = [it.callee_end_ns or it.end_ns for it in step.attempts if it.took_effect is not False]
    return min((end for end in ends if end is not None), default=step.end_ns)
