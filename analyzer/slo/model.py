"""What an SLO is, once its file was read: everything checked, nothing left to look up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from analyzer.expression import Expression
from analyzer.slo.duration import Span, calendar_start


class Method(StrEnum):
    """OpenSLO's budgeting methods."""

    OCCURRENCES = "Occurrences"
    TIMESLICES = "Timeslices"
    RATIO_TIMESLICES = "RatioTimeslices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The period a budget is for: rolling, or one that begins at set dates of a calendar."""

    span: Span
    anchor: datetime | None = None
    zone: ZoneInfo | None = None

    @property
    def rolling(self) -> bool:
        """Whether the period always ends now."""
        return self.anchor is None

    def start_ns(self, at_ns: int) -> int:
        """When the period that holds `at_ns` began."""
        if self.anchor is None or self.zone is None:
            return at_ns - self.span.fixed_ns
        return calendar_start(self.anchor, self.zone, self.span, at_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A target for the share of good events (or slices), in [0, 1).

    `slice_ns` and `slice_target` are set for the methods that use slices of time.
    """

    name: str
    target: Fraction
    slice_ns: int | None = None
    slice_target: Fraction | None = None

    @property
    def budget(self) -> Fraction:
        """The share that may be bad."""
        return 1 - self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRule:
    """An alert: burn rate at least `threshold` over both windows (SRE workbook, chapter 5).

    `alert`, `labels` and `annotations` are its policy's, for whoever is told.
    """

    severity: str
    threshold: Fraction
    long_ns: int
    short_ns: int
    runbook: str = ""
    alert: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One SLO over flows. `valid` says which flows count, `good` which of them were good.

    Both are None when the SLO reads a metric source that is not retrospan's: `source` names it and
    `queries` are its own, by good, bad, total, or raw with `raw_type` success or failure.
    `limit_ns` is set where an event is good because the flow took no longer than that.
    """

    name: str
    title: str
    service: str
    description: str
    place: str
    source: str
    method: Method
    window: Window
    objectives: tuple[Objective, ...]
    rules: tuple[BurnRule, ...]
    labels: Mapping[str, str]
    good: Expression | None = None
    valid: Expression | None = None
    queries: Mapping[str, str] = field(default_factory=dict)
    raw_type: str = ""
    limit_ns: int | None = None


_WORKBOOK = (
    ("page", Fraction(2, 100), 720, 12),
    ("page", Fraction(5, 100), 120, 12),
    ("ticket", Fraction(10, 100), 10, 12),
)
"""Severity, share of the budget, long window as a part of the period, short as a part of long."""


def workbook_rules(period_ns: int) -> tuple[BurnRule, ...]:
    """The workbook's windows: 1 h/5 min, 6 h/30 min, 3 d/6 h for a period of 30 days.

    A shorter or longer period keeps its proportions: threshold = share of budget x period / long,
    so 14.4, 6 and 1 whatever the period is.
    """
    return tuple(
        BurnRule(
            severity=severity,
            threshold=share * part,
            long_ns=period_ns // part,
            short_ns=period_ns // part // short,
        )
        for severity, share, part, short in _WORKBOOK
    )
