"""A flow's time limit, shared out among the parts of its critical path.

A part's allotment is the limit times its share of all time on the critical paths of these flows. It
is over where its p95 is above that. Saving says by how much a flow gets shorter at most when the
part takes half the time: never more than up to where the next step beside it would gate. Slack is
how much longer a step beside the path could take before it gates (after CRISP, USENIX ATC 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from analyzer.statistics.quantiles import quantile_ranks
from store.query import ask
from store.session import Session

QUESTION: Final = Path(__file__).parent / "parts.sql"
MEDIAN: Final = Fraction(1, 2)
P95: Final = Fraction(95, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A time by order statistics; a bound is None where there are too few for it."""

    value_ns: int
    low_ns: int | None
    high_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One step (`callee` is who was called) or the own work of a service.

    `flows` have it; `on_path` is its time on their critical paths, 0 where it is not on it.
    `allotment_ns` and `slack_to_allotment_ns` (allotment less p95) are None without a limit.
    `late_extra_ns`: how much more late flows spend on it than others, median to median.
    """

    name: str
    service: str
    callee: str
    flows: int
    on_path_flows: int
    share: Fraction
    p50: Quantile
    p95: Quantile
    allotment_ns: int | None
    over: int | None
    late_extra_ns: int | None
    saving_p50_ns: int
    saving_p95_ns: int
    slack_p50_ns: int | None
    slack_n: int
    slowest_flow_ids: Sequence[str]

    @property
    def slack_to_allotment_ns(self) -> int | None:
        """What is left of the allotment at p95; below 0 when it is overspent."""
        return None if self.allotment_ns is None else self.allotment_ns - self.p95.value_ns


def latency_budget(session: Session, flow_ids: Sequence[str], limit_ns: int | None) -> list[Part]:
    """The parts of these flows, the largest share first."""
    rows = list(
        ask(session, QUESTION, {"flow_ids": list(flow_ids), "limit_ns": limit_ns}).iter_rows(
            named=True
        )
    )
    whole = sum(sum(row["on_path_ns"]) for row in rows)
    found = []
    for row in rows:
        times = row["on_path_ns"]
        share = Fraction(sum(times), whole) if whole else Fraction(0)
        allotment_ns = None if limit_ns is None else int(limit_ns * share)
        late, in_time = row["late_ns"] or [], row["in_time_ns"] or []
        extra = _at(late, MEDIAN) - _at(in_time, MEDIAN) if late and in_time else None
        found.append(
            Part(
                name=row["name"],
                service=row["service"] or "",
                callee=row["callee"] or "",
                flows=len(times),
                on_path_flows=sum(time > 0 for time in times),
                share=share,
                p50=_quantile(times, MEDIAN),
                p95=_quantile(times, P95),
                allotment_ns=allotment_ns,
                over=None if allotment_ns is None else sum(it > allotment_ns for it in times),
                late_extra_ns=extra,
                saving_p50_ns=_at(row["saved_ns"], MEDIAN),
                saving_p95_ns=_at(row["saved_ns"], P95),
                slack_p50_ns=_at(row["slack_ns"], MEDIAN) if row["slack_ns"] else None,
                slack_n=len(row["slack_ns"]),
                slowest_flow_ids=row["slowest"],
            )
        )
    return sorted(found, key=lambda it: (-it.share, it.service, it.callee, it.name))


def _at(ordered: Sequence[int], share: Fraction) -> int:
    return ordered[quantile_ranks(len(ordered), share).rank - 1]


def _quantile(ordered: Sequence[int], share: Fraction) -> Quantile:
    ranks = quantile_ranks(len(ordered), share)
    return Quantile(
        value_ns=ordered[ranks.rank - 1],
        low_ns=None if ranks.low is None else ordered[ranks.low - 1],
        high_ns=None if ranks.high is None else ordered[ranks.high - 1],
    )
