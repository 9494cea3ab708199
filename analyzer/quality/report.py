"""Counts of gaps turned into a coverage score per service.

The score is the mean, weighted by impact, of the share of records without the gap, over the gaps
that a service can have at all; what could not be determined counts as not covered. It says what
share of the evidence is there, not how sure an estimate is: every record is counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from analyzer.quality.gaps import CATALOGUE, Gap
from store.conclusions import Evidence
from store.errors import InvariantError
from store.query import ask, discover
from store.session import Session

HERE: Final = Path(__file__).parent
WITHIN: Final = HERE / "within"
INT64: Final = (-(1 << 63), (1 << 63) - 1)
TOLERANCE_NS: Final = 1_000_000
"""Clocks that disagree by less are called synchronised."""
_KNOWN: Final = {gap.name: gap for gap in CATALOGUE}
_PLACE: Final = {gap.name: place for place, gap in enumerate(CATALOGUE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GapCount:
    """One gap at one service: of `checked` records, `affected` have it and of `undetermined` ones
    it cannot be told. `gain` is what the service's score would rise by without the gap."""

    gap: Gap
    service: str
    checked: int
    affected: int
    undetermined: int
    gain: Fraction
    evidence: Sequence[Evidence]

    @property
    def lacking(self) -> int:
        """Records that the gap takes evidence from."""
        return self.affected + self.undetermined


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceQuality:
    """The coverage `score` of a service, 0 to 1, over `applicable` gaps; `best` would raise it
    most and is None where nothing is missing."""

    service: str
    spans: int
    score: Fraction
    applicable: int
    best: GapCount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """Services by score, worst first; gaps that were found, by what they cost most.

    `not_applicable` names the gaps that nothing in the data could have had.
    """

    services: Sequence[ServiceQuality]
    gaps: Sequence[GapCount]
    not_applicable: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Records of one service with and without one gap, and an example of it."""

    gap: Gap
    service: str
    checked: int
    affected: int
    undetermined: int
    trace_id: str | None
    span_id: str | None


Range = tuple[int | None, int | None]
"""[since, until) in nanoseconds UTC; None bounds nothing."""
EVER: Final[Range] = (None, None)


def quality_report(session: Session, within: Range = EVER) -> QualityReport:
    """What the stored data cannot answer for. Linear in the records looked at.

    `within` looks at traces and flows that began in it, whole, and at decisions and log records of
    that time. Whether a service was ever heard of is asked of all data.
    """
    looked = looked_at(session, within)
    return report_of(row for name in questions() for row in counted(session, name, looked))


def questions() -> Sequence[str]:
    """Names of the questions a report is made of; each can be asked by itself."""
    return sorted(discover(HERE))


def looked_at(session: Session, within: Range = EVER) -> Mapping[str, object]:
    """What the questions about a range are asked with.

    Times between which its spans, attempts and steps surely lie, so that the others need not be
    looked through: whole tables are in the order of time, as they were loaded.
    """
    ever = within == EVER
    known: dict[str, object] = {"since_ns": within[0], "until_ns": within[1]}
    known["low_ns"], known["high_ns"] = (
        INT64 if ever else ask(session, WITHIN / "lain.sql", known).row(0)
    )
    first_ns = INT64[0] if ever else ask(session, WITHIN / "begun.sql", known).item()
    heard = ask(session, WITHIN / "heard.sql", {})["service"].to_list()
    return {**known, "first_ns": first_ns, "heard": heard, "tolerance_ns": TOLERANCE_NS}


def counted(session: Session, name: str, looked: Mapping[str, object]) -> list[Counted]:
    """The answer to one question."""
    question = discover(HERE)[name]
    given = {param: looked[param] for param in question.params}
    rows = []
    for row in ask(session, question.path, given).iter_rows(named=True):
        if row["gap"] not in _KNOWN:
            raise InvariantError(f"question {name} counts {row['gap']}, which no gap is called")
        rows.append(Counted(**{**row, "gap": _KNOWN[row["gap"]]}))
    return rows


def report_of(rows: Iterable[Counted]) -> QualityReport:
    """The report that the answers to all questions make."""
    counts: dict[str, list[Counted]] = defaultdict(list)
    seen: set[str] = set()
    for row in rows:
        if row.checked:
            counts[row.service].append(row)
            seen.add(row.gap.name)
    services = []
    gaps: list[GapCount] = []
    for service, own in sorted(counts.items()):
        graded, found = _graded(service, own)
        services.append(graded)
        gaps += found
    return QualityReport(
        services=sorted(services, key=lambda it: (it.score, it.service)),
        gaps=sorted(gaps, key=lambda it: (-it.gain, it.service, _PLACE[it.gap.name])),
        not_applicable=[gap.name for gap in CATALOGUE if gap.name not in seen],
    )


def _graded(service: str, rows: Sequence[Counted]) -> tuple[ServiceQuality, list[GapCount]]:
    weights = sum(row.gap.weight for row in rows)
    gaps = [
        GapCount(
            gap=row.gap,
            service=service,
            checked=row.checked,
            affected=row.affected,
            undetermined=row.undetermined,
            gain=Fraction(
                row.gap.weight * (row.affected + row.undetermined), row.checked * weights
            ),
            evidence=_evidence(row),
        )
        for row in rows
    ]
    found = [gap for gap in gaps if gap.lacking]
    best = min(found, key=lambda it: (-it.gain, _PLACE[it.gap.name]), default=None)
    spans = max((row.checked for row in rows if row.gap.name == "missing_service_name"), default=0)
    graded = ServiceQuality(
        service=service,
        spans=spans,
        score=1 - sum((gap.gain for gap in gaps), Fraction(0)),
        applicable=len(gaps),
        best=best,
    )
    return graded, found


def _evidence(row: Counted) -> Sequence[Evidence]:
    if row.trace_id is None:
        return ()
    return (Evidence(kind="span", trace_id=row.trace_id, span_id=row.span_id),)
