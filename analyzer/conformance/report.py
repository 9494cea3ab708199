"""What a conformance report is, where reports are found, and how all are made.

A report asks stored questions, then judges the answers without the store.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import analyzer.conformance.reports as place
from analyzer.conformance.settings import ConformanceSettings
from analyzer.discovery import discover, no_twins
from store.conclusions import Evidence, Verdict
from store.model import JsonValue
from store.query import ask
from store.session import Session

HERE: Final = Path(__file__).parent / "reports"
EVIDENCE_MAX: Final = 20

Row = Mapping[str, Any]
Rows = Sequence[Row]
Ask = tuple[str, Mapping[str, object]]
"""The name of a question (an `.sql` file beside the report) and its parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a report says. `declared` tells whether a rule was there to judge by; of `checked`
    things `unknown` could not be judged. Columns name the cells of `rows` in their order."""

    verdict: Verdict
    message: str
    declared: bool
    checked: int
    unknown: int
    columns: Sequence[str]
    rows: Sequence[Mapping[str, JsonValue]]
    evidence: Sequence[Evidence] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A question of conformance; its module's name is its id.

    `asks` names the questions by label, `judge` is given their rows by the same label.
    """

    name: str
    title: str
    asks: Callable[[ConformanceSettings], Mapping[str, Ask]]
    judge: Callable[[Mapping[str, Rows], ConformanceSettings], Answer]


@lru_cache(maxsize=1)
def reports() -> tuple[Report, ...]:
    """All reports, in the order of their names."""
    found = discover(place, "REPORT", Report)
    no_twins({f"{place.__name__}.{name}": report.name for name, report in found.items()})
    return tuple(sorted(found.values(), key=lambda report: report.name))


def gather(
    session: Session, settings: ConformanceSettings, wanted: Sequence[Report]
) -> dict[str, dict[str, Rows]]:
    """The rows every report is judged by; equal questions are asked once."""
    known: dict[str, Rows] = {}
    gathered: dict[str, dict[str, Rows]] = {}
    for report in wanted:
        rows: dict[str, Rows] = {}
        for label, (question, params) in report.asks(settings).items():
            key = repr((question, sorted(params.items())))
            if key not in known:
                answer = ask(session, HERE / f"{question}.sql", params)
                known[key] = answer.to_dicts()
            rows[label] = known[key]
        gathered[report.name] = rows
    return gathered


def conformance(
    session: Session, settings: ConformanceSettings, wanted: Sequence[Report] | None = None
) -> dict[str, Answer]:
    """The answers of the wanted reports (default: all) by name."""
    chosen = reports() if wanted is None else wanted
    gathered = gather(session, settings, chosen)
    return {report.name: report.judge(gathered[report.name], settings) for report in chosen}


def verdict_of(*, declared: bool, checked: int, violations: int, unknown: int) -> Verdict:
    """Only a declared rule is broken or kept; kept only where all could be judged."""
    if not declared or not checked:
        return Verdict.NOT_APPLICABLE
    if violations:
        return Verdict.VIOLATION
    return Verdict.UNKNOWN if unknown else Verdict.PASS


def span_evidence(rows: Rows) -> list[Evidence]:
    """The spans named by `trace_id` and `span_id` of rows."""
    found = [
        Evidence(kind="span", trace_id=row["trace_id"], span_id=row["span_id"])
        for row in rows
        if row.get("trace_id") is not None
    ]
    return list(dict.fromkeys(found))[:EVIDENCE_MAX]


def share(part: int, whole: int) -> float | None:
    """A share with six digits; of nothing there is none."""
    return round(part / whole, 6) if whole else None
