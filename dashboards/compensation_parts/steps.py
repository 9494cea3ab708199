"""What became of each compensatable step, over many flows: pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from analyzer.derive.ending import completed
from analyzer.sagas.coverage import Coverage
from analyzer.sagas.view import SagaView
from analyzer.statistics.quantiles import quantile_ranks
from store.conclusions import Flow, Step

P95 = Fraction(95, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
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


@dataclass(slots=True)
class _Tally:
    executed: int = 0
    done: int = 0
    undone: int = 0
    failed: int = 0
    tries: int = 0
    compensations: int = 0
    times: list[int] = field(default_factory=list)


def step_rows(flows: Iterable[Flow]) -> list[StepRow]:
    """One row per step, those with most left to undo first."""
    steps = Steps()
    for flow in flows:
        steps.add(flow)
    return steps.rows()


class Steps:
    """Adds up one flow after the other, so that memory does not grow with them."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, str], _Tally] = defaultdict(_Tally)

    def add(self, flow: Flow) -> None:
        """Take in one flow."""
        view = SagaView(flow=flow, coverage=Coverage())
        for step in flow.steps:
            if step.role == "compensatable":
                self._tallies[step.service, step.name, step.callee].executed += 1
        for step in view.to_undo if view.aborted else ():
            _add(self._tallies[step.service, step.name, step.callee], view, step)

    def rows(self) -> list[StepRow]:
        """One row per step, those with most left to undo first."""
        rows = [_row(name, tally) for name, tally in self._tallies.items()]
        return sorted(
            rows, key=lambda it: (-it.failed - it.without, -it.done, it.service, it.name, it.callee)
        )


def _add(tally: _Tally, view: SagaView, step: Step) -> None:
    found = view.compensations_of.get(step.step_id, [])
    tally.done += 1
    tally.compensations += len(found)
    tally.tries += sum(len(it.attempts) for it in found)
    if view.undone(step):
        tally.undone += 1
    elif found:
        tally.failed += 1
    tally.times += [
        it.end_ns - it.start_ns for it in found if completed(it) and it.end_ns is not None
    ]


def _row(name: tuple[str, str, str], tally: _Tally) -> StepRow:
    times = sorted(tally.times)
    return StepRow(
        service=name[0],
        name=name[1],
        callee=name[2],
        executed=tally.executed,
        done=tally.done,
        undone=tally.undone,
        failed=tally.failed,
        without=tally.done - tally.undone - tally.failed,
        tries=tally.tries,
        compensations=tally.compensations,
        p95_ns=times[quantile_ranks(len(times), P95).rank - 1] if times else None,
    )
