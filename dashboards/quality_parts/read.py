"""What of the data cannot be believed, read once per state of the store."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from analyzer.quality import QualityReport, quality_report
from dashboards import data
from store.read import ClockSkew, StoreCounts, counts
from store.read import read_clock_skew as read_skew
from store.session import Session


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

    def question(session: Session) -> Quality:
        return Quality(
            report=quality_report(session),
            counts=counts(session),
            skews=tuple(read_skew(session)),
            rejects=data.asked(session, "reject_rows"),
        )

    return data.held("data quality", question, path)
