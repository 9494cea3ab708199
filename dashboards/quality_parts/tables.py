"""Rows of the Data quality page: pure."""

from collections.abc import Sequence

import polars as pl

from analyzer.quality.report import GapCount, QualityReport
from dashboards.estimates import percent
from dashboards.wording import clean, duration_text
from store.read import ClockSkew


def service_rows(report: QualityReport) -> pl.DataFrame:
    """One row per service, the least covered first."""
    return pl.DataFrame(
        [
            {
                "service": clean(one.service) or "(no name)",
                "evidence that is there": percent(one.score),
                "spans (n)": one.spans,
                "questions (n)": one.applicable,
                "what would raise it most": clean(one.best.gap.attribute)
                if one.best is not None
                else "nothing is missing",
                "by": f"+{percent(one.best.gain)}" if one.best is not None else "–",
            }
            for one in report.services
        ]
    )


def gap_rows(gaps: Sequence[GapCount]) -> pl.DataFrame:
    """One row per gap and service, what costs most first."""
    return pl.DataFrame(
        [
            {
                "gap": one.gap.name.replace("_", " "),
                "service": clean(one.service) or "(no name)",
                "lacking": f"{one.affected:,}",
                "cannot tell": f"{one.undetermined:,}",
                "share": percent(one.lacking / one.checked),
                "of (n)": f"{one.checked:,} {one.gap.about}",
                "makes unknowable": one.gap.makes_unknowable,
                "settled by": one.gap.attribute,
            }
            for one in gaps
        ]
    )


def skew_rows(skews: Sequence[ClockSkew]) -> pl.DataFrame:
    """One row per pair of services, those whose clocks surely disagree first."""
    ordered = sorted(
        skews, key=lambda it: (not it.certain, -abs(it.offset_ns), it.caller, it.callee)
    )
    return pl.DataFrame(
        [
            {
                "": "◐ disagree" if it.certain else "✔ may agree",
                "caller": clean(it.caller),
                "callee": clean(it.callee),
                "callee is ahead by": duration_text(it.offset_ns),
                "between": f"{duration_text(it.low_ns)} and {duration_text(it.high_ns)}",
                "calls (n)": it.calls,
            }
            for it in ordered
        ]
    )


def reject_rows(rejects: pl.DataFrame) -> pl.DataFrame:
    """One row per reason, with the first record it was given for."""
    return pl.DataFrame(
        [
            {
                "reason": clean(row["reason"]),
                "records": row["records"],
                "for example in": clean(row["source"]),
                "record": clean(row["record"]),
                "began": clean(row["excerpt"]),
            }
            for row in rejects.iter_rows(named=True)
        ]
    )
