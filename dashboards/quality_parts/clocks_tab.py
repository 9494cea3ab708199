"""Clocks that disagree, and records that could not be read: of the whole store."""

from collections.abc import Sequence

import streamlit as st

from dashboards import data, flow_questions
from dashboards.components.exports import exports
from dashboards.components.plain_table import plain_table
from dashboards.data import Holdings
from dashboards.quality_parts.tables import reject_rows, skew_rows
from dashboards.wording import plural
from store.read import ClockSkew


def clocks_tab(holdings: Holdings) -> None:
    """Both tables; neither narrows by the range."""
    with data.one_lease():
        rejects = flow_questions.of_store("reject_rows")
        skews = flow_questions.clock_skew()
    st.caption("Of the whole store, whatever range is chosen.")
    st.subheader("Clocks")
    _clocks(skews)
    st.subheader("Records that could not be read")
    if not holdings.rejected:
        st.text("Every record of every input was read.")
    elif rejects.is_empty():
        st.text(f"{plural(holdings.rejected, 'record')}; their reasons were not kept.")
    else:
        table = reject_rows(rejects)
        plain_table(table, key="quality_rejects", alt="Records kept aside, by reason")
        exports(table, "rejected-records")


def _clocks(skews: Sequence[ClockSkew]) -> None:
    if not skews:
        st.text("No call was seen on both ends: nothing can be said of clocks.")
        return
    surely = sum(one.certain for one in skews)
    st.caption(
        f"{surely:,} of {plural(len(skews), 'pair')} of services surely disagree. Times are shown "
        "as recorded; order comes from causes first."
    )
    plain_table(skew_rows(skews), key="quality_clocks", alt="Clock offsets between services")
