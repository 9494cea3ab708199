"""What sets the selection apart: from all other flows, or from another selection kept as B."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qs, urlencode

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.contrasts import ask_contrast, contrasted, table_of
from dashboards.flow_filters import NAMES, FlowFilters, filters_of
from dashboards.markup import notes
from dashboards.wording import clean, markdown_safe, plural

BASE = "base"  # in the address: the filters of B, as a query string
BASE_LENGTH_MAX = 2_000
EXAMPLES_MAX = 5

Find = Callable[[FlowFilters], pl.DataFrame]


def differences_tab(found: pl.DataFrame, scoped: pl.DataFrame, find: Find) -> None:
    """A is what the filters leave, B what was kept as B, else all others in scope."""
    a, b = _compared(found, scoped, find)
    _groups(a, b)
    if not a or not b:
        side = "B is" if a else "A is"
        st.text(f"{side} empty: nothing to compare. Filter above for A, then come back.")
        return
    result, whole = contrasted(a, b)
    if not result.differences:
        st.text(
            f"No difference stands out: {plural(result.tested, 'fact')} tested, "
            f"{result.too_rare:,} too rare to test."
        )
        return
    st.caption(
        f"{plural(len(result.differences), 'difference')} of {result.tested:,} facts tested "
        f"({result.too_rare:,} too rare), strongest first; q is the false discovery rate. An "
        "association, not yet a cause. Select a row for flows that have it."
    )
    table = table_of(result)
    share = st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100)
    row = picking_table(
        table,
        key="contrast_table",
        alt="What differs between the two selections, strongest first",
        columns={"in A": share, "in B": share},
        height_max_px=560,
    )
    exports(table, "contrast")
    if row is not None and whole:
        _examples([*a, *b], result.differences[row].mask)


def ask_differences(found: pl.DataFrame, scoped: pl.DataFrame, find: Find) -> None:
    """Asks what the tab compares, under the lease of the page's beginning."""
    ask_contrast(*_compared(found, scoped, find))


def _compared(
    found: pl.DataFrame, scoped: pl.DataFrame, find: Find
) -> tuple[Sequence[str], Sequence[str]]:
    """Ids of the flows of A and of B."""
    base = _base()
    others = find(filters_of(parse_qs(base))) if base else _alike(found, scoped)
    baseline = others.join(found.select("flow_id"), on="flow_id", how="anti")
    return _by_start(found), _by_start(baseline)


def _base() -> str:
    return st.query_params.get(BASE, "")[:BASE_LENGTH_MAX]


def _alike(found: pl.DataFrame, scoped: pl.DataFrame) -> pl.DataFrame:
    """Flows with a name that one of A has: another process differs in everything."""
    return scoped.join(found.select("name").unique(), on="name", how="semi", maintain_order="left")


def _by_start(flows: pl.DataFrame) -> Sequence[str]:
    return flows.sort(["start_ns", "flow_id"])["flow_id"].to_list()


def _examples(ids: Sequence[str], mask: int) -> None:
    shown = [flow_id for place, flow_id in enumerate(ids) if mask >> place & 1][:EXAMPLES_MAX]
    st.text("For example:")
    for flow_id in shown:
        links.trace_link(flow_id, flow=flow_id)


def _groups(a: Sequence[str], b: Sequence[str]) -> None:
    base = _base()
    named = (
        f"flows kept as B ({_words(parse_qs(base))})"
        if base
        else "all others of the same name in scope"
    )
    lines = [
        f"A: {plural(len(a), 'flow')} that fit the filters above",
        f"B: {plural(len(b), 'flow')}: {named}, without those of A",
    ]
    st.html(notes(lines, tone="info"))
    with st.container(horizontal=True):
        st.button("Keep the filters above as B", key="base-keep", on_click=_keep)
        if base:
            st.button("Compare with all others", key="base-drop", on_click=_drop)


def _words(values: Mapping[str, Sequence[str]]) -> str:
    told = [f"{name} = {' or '.join(given)}" for name, given in sorted(values.items())]
    return clean("; ".join(told))


def _keep() -> None:
    kept = {name: st.query_params.get_all(name) for name in NAMES if name in st.query_params}
    if kept:
        base = urlencode(sorted(kept.items()), doseq=True)
        links.change_address({**dict.fromkeys(kept, ""), BASE: base})
        st.toast(markdown_safe("Kept as B. Now filter for A."))


def _drop() -> None:
    st.query_params.pop(BASE, None)
