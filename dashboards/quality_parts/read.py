"""What of the data cannot be believed, read once per range and state of the store."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from analyzer.quality import QualityReport, quality_report
from analyzer.quality.report import Range
from dashboards import data
from dashboards.scope import Scope
from store.read import ClockSkew, StoreCounts, counts
from store.read import read_clock_skew as read_skew
from store.session import Session

FLOWS_MAX = 600  # flows in whose time gaps are counted within about a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The report on traces and flows that began in the range; of the whole store its counts, the
    clocks that disagree, the records kept aside, and what was loaded by which reader."""

    report: QualityReport
    counts: StoreCounts
    skews: tuple[ClockSkew, ...]
    rejects: pl.DataFrame
    loaded: pl.DataFrame


def quality(scope: Scope) -> Quality:
    """What was recorded in the range; gaps are a matter of services, so no filter chooses flows."""
    path = data.store_path()
    return _quality(str(path), data.stamp_of(path), (scope.since_ns, scope.until_ns))


@st.cache_resource(max_entries=4, show_spinner="Counting gaps …")
def _quality(path: str, stamp: data.Stamp, within: Range) -> Quality:
    del stamp  # only part of the key

    report, aside = data.held(
        "data quality",
        lambda session: (quality_report(session, within), _aside(session)),
        path,
    )
    store_counts, skews, rejects, loaded = aside
    return Quality(report=report, counts=store_counts, skews=skews, rejects=rejects, loaded=loaded)


def _aside(
    session: Session,
) -> tuple[StoreCounts, tuple[ClockSkew, ...], pl.DataFrame, pl.DataFrame]:
    rejects, loaded = data.asked(session, "reject_rows"), data.asked(session, "loaded")
    return counts(session), tuple(read_skew(session)), rejects, loaded
