"""How a page begins: what it asks, the bar above it, and the screens of a store with no flows."""

import streamlit as st

from dashboards import data, screens
from dashboards.components.range_bar import range_bar
from dashboards.data import Overview
from dashboards.markup import heading
from dashboards.scope import Scope


def begun(title: str, question: str) -> tuple[Overview, Scope] | None:
    """Heading and bar; what the store holds within the scope, or None when a screen said it all."""
    overview = data.overview()
    st.html(heading(title, above=question))
    if overview.spans == 0:
        screens.nothing_recorded()
        return None
    if overview.flows.is_empty():
        screens.nothing_derived(overview.underived)
        return None
    scope = range_bar(overview)
    within = overview.narrowed(scope)
    if within.flows.is_empty():
        screens.nothing_in_scope(scope)
        return None
    return within, scope
