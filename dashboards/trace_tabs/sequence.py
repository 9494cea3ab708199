"""The flow as a conversation between its services."""

import streamlit as st

from dashboards.flow_page import FlowPage
from dashboards.sequence import left_out, sequence
from dashboards.wording import plural


def sequence_tab(page: FlowPage) -> None:
    """One arrow there and one back per try."""
    text = sequence(page.flow)
    if text is None:
        st.text("No steps could be told apart, or too many services take part to draw them.")
        return
    st.caption(
        "One arrow per try, in order of start; ✖ and ⏱ are failed tries, ↩ undoes an earlier step."
    )
    st.mermaid_chart(text, width="content", alt="Calls between services, in order")
    more = left_out(page.flow)
    if more:
        st.caption(
            f"The first tries; {plural(more, 'more try').replace('trys', 'tries')} left out."
        )
    with st.expander("As text, for a report"):
        st.code(text, language=None, wrap_lines=True)
