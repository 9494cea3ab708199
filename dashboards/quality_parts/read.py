"""What of the data cannot be believed, read once per state of the store."""

from dataclasses import dataclass
from functools import partial

import polars as pl
import streamlit as st

from analyzer.quality import QualityReport
from analyzer.quality.report import counted, questions, report_of
from dashboards import data
from store.read import ClockSkew, StoreCounts, counts
from store.read import read_clock_skew as read_skew
from store.session import Session

SPANS_MAX = 200_000  # spans whose gaps are counted within about a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The report, what it covered, the clocks that disagree, and the records kept aside."""

    report: QualityReport
    counts: StoreCounts
    skews: tuple[ClockSkew, ...]
    rejects: pl.DataFrame


def quality() -> Quality:
    """Of the whole store: gaps are a matter of services, not of a time range."""
    path = data.store_path()
    return _quality(str(path), data.stamp_of(path))


@st.cache_resource(max_entries=2, show_spinner="Counting gaps …")
def _quality(path: str, stamp: data.Stamp) -> Quality:
    del stamp  # only part of the key

    # One lease for each question: whoever waits for the store gets it in between.
    rows = [
        row
        for name in questions()
        for row in data.held(f"data quality: {name}", partial(counted, name=name), path)
    ]
    store_counts, skews, rejects = data.held("data quality", _aside, path)
    return Quality(report=report_of(rows), counts=store_counts, skews=skews, rejects=rejects)


def _aside(session: Session) -> tuple[StoreCounts, tuple[ClockSkew, ...], pl.DataFrame]:
    return counts(session), tuple(read_skew(session)), data.asked(session, "reject_rows")
