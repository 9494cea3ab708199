"""What of the data cannot be believed, read once per range and state of the store."""

import streamlit as st

from analyzer.quality import QualityReport, quality_report
from analyzer.quality.report import INT64, Range
from dashboards import data
from dashboards.scope import Scope

FLOWS_MAX = 600  # flows in whose time gaps are counted within about a second


def quality(scope: Scope) -> QualityReport:
    """The report on what was recorded in the range; gaps are a matter of services, so no filter
    chooses flows."""
    path = data.store_path()
    return _quality(str(path), data.stamp_of(path), (scope.since_ns, scope.until_ns))


def ends(scope: Scope) -> dict[str, int]:
    """The range as questions about the time of records take it: `low_ns` in it, `high_ns` not."""
    low, high = INT64
    return {
        "low_ns": low if scope.since_ns is None else scope.since_ns,
        "high_ns": high if scope.until_ns is None else scope.until_ns,
    }


@st.cache_resource(max_entries=4, show_spinner="Counting gaps …")
def _quality(path: str, stamp: data.Stamp, within: Range) -> QualityReport:
    del stamp  # only part of the key
    return data.held("data quality", lambda session: quality_report(session, within), path)
