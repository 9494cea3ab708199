"""Service map: who calls whom, and where it hurts."""

from typing import Any

import polars as pl
import streamlit as st

from dashboards import data, flow_questions, links, screens
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.service_map import picked, service_map
from dashboards.data import Holdings
from dashboards.markup import chip, heading, notes
from dashboards.pages import PageFacts
from dashboards.scope import Scope
from dashboards.scoped import scoped
from dashboards.service_graph import Call, Graph, failed_tries, graph_of, number, pair
from dashboards.wide_ranges import is_asked, wanted
from dashboards.wording import clean, count_text, duration_text, markdown_safe, plural, share_text

PAGE = PageFacts(title="Service map", section="Explore", order=60, url_path="map")

FLOWS_MAX = 10_000  # flows whose calls are counted within about a second
MAP_KEY = "service-map"
_SPACE = '<div style="height:6px"></div>'


def render() -> None:
    """The page: `?caller=A&callee=B` or `?node=A` opens at a call or a service."""
    start = scoped("Service map", "Who calls whom, where does it hurt?", FLOWS_MAX, ask=_ask)
    if start is None:
        return
    _, scope = start
    flows = data.flow_count(scope)
    if not wanted(scope, flows, FLOWS_MAX):
        return
    calls = flow_questions.service_calls(scope)
    if calls.is_empty():
        st.text("No call between services was found in these flows: each ran in one service.")
        return
    rows = calls.to_dicts()
    graph = graph_of(rows)
    _doubts(graph, rows, flows)
    name = st.query_params.get("node", "")
    _chosen(rows, name, _minutes(flow_questions.started(scope)))
    _draw(graph)
    own = [row for row in rows if name in pair(row)] if name else rows
    st.subheader(f"Calls of {markdown_safe(name)}" if name and own else "Calls")
    _table(own or rows)


def _ask(holdings: Holdings, scope: Scope) -> None:
    if is_asked(scope, data.flow_count(scope), FLOWS_MAX):
        flow_questions.service_calls(scope)


def _minutes(starts: tuple[int, int] | None) -> float | None:
    """Minutes from the first to the last start of a flow; None for a single moment."""
    first, last = starts or (0, 0)
    return (last - first) / 60e9 if last > first else None


def _doubts(graph: Graph, rows: list[dict[str, Any]], flows: int) -> None:
    lines = []
    if graph.left_out:
        lines.append(
            f"{plural(graph.left_out, 'service')} with the fewest calls left out of the drawing; "
            "the table below lists every call."
        )
    unknown = max((number(row, "flows_unknown_sampling") for row in rows), default=0)
    if unknown:
        lines.append(
            f"At least {plural(unknown, 'flow')} of {flows:,} sampled in an unknown way: "
            "counts are of what was recorded; real rates are unknown."
        )
    if lines:
        st.html(notes(lines, tone="warn"))


def _draw(graph: Graph) -> None:
    given = st.query_params
    names = [given["node"]] if "node" in given else [given.get("caller"), given.get("callee")]
    service_map(
        graph,
        key=MAP_KEY,
        chosen=[name for name in names if name is not None],
        on_select=_write_picked,
    )


def _write_picked() -> None:
    """Writes what was selected into the address."""
    names = picked(MAP_KEY)
    if names:
        keys = ("node",) if len(names) == 1 else ("caller", "callee")
        st.query_params.from_dict(links.in_scope(**dict(zip(keys, names, strict=True))))


def _chosen(rows: list[dict[str, Any]], name: str, minutes: float | None) -> None:
    """What the address names, else the call that failed most: its numbers, and its flows."""
    caller, callee = st.query_params.get("caller"), st.query_params.get("callee")
    with st.container(border=True):
        found = [row for row in rows if pair(row) == (caller, callee)]
        own = [row for row in rows if name and name in pair(row)]
        worst = max(rows, key=lambda row: (failed_tries(row), *reversed(pair(row))))
        if own:
            _service(name, own)
        elif caller or callee or name:
            if found:
                _call(found[0], minutes)
            else:
                st.text("What the address names makes no call in this selection of flows.")
        elif failed_tries(worst):
            st.caption("The call with the most failed tries, chosen for you. Select another below.")
            _call(worst, minutes)
        else:
            st.text("No try failed. Select a service or a line to see its numbers and flows.")


def _call(call: Call, minutes: float | None) -> None:
    caller, callee = pair(call)
    tries, calls = number(call, "attempts"), number(call, "calls")
    rate = f"{calls / minutes:.1f} a minute" if minutes else "one moment only"
    latency = [_duration(call, name) for name in ("median_ns", "p95_ns")]
    failed = failed_tries(call)
    told = [
        f"{plural(calls, 'call')} ({rate}, as recorded)",
        f"failed calls: {_of(number(call, 'failed_calls'), calls)}",
        f"tries: {count_text(tries)}, {tries - calls:,} of them retries",
        f"timeouts: {count_text(number(call, 'timeouts'))}",
        f"end not known: {_of(number(call, 'unknown'), tries)}",
        f"latency: p50 {latency[0]}, p95 {latency[1]} (n = {number(call, 'ended'):,} tries)",
    ]
    st.html(
        heading(f"{caller or '(unnamed)'} → {callee}", size_rem="1.1")
        + _SPACE
        + chip(f"failed tries: {_of(failed, tries)}", tone="error" if failed else "ok")
        + "".join(map(chip, told))
    )
    target = {"caller": caller, "callee": callee}
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        links.flows_link(plural(number(call, "flows"), "flow"), **target)
        if failed:
            links.flows_link("Only flows where a try failed", **target, how="failed")
        if tries > calls:
            links.flows_link("Only flows with a retry of it", **target, how="retried")
        if "caller" in st.query_params:
            links.view_link("service_map", "Whole map")


def _duration(call: Call, name: str) -> str:
    value = call[name]
    return duration_text(value if isinstance(value, int) else None)


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({share_text(part, whole)})"


def _service(name: str, calls: list[dict[str, Any]]) -> None:
    into = [call for call in calls if pair(call)[1] == name]
    out = [call for call in calls if pair(call)[0] == name]
    told = []
    for word, some in (("received", into), ("sent", out)):
        tries = sum(number(call, "attempts") for call in some)
        if some:
            told.append(f"tries {word} that failed: {_of(sum(map(failed_tries, some)), tries)}")
    st.html(
        heading(name, above="service", size_rem="1.1")
        + _SPACE
        + chip(plural(len(into), "caller"))
        + chip(f"calls {plural(len(out), 'service')}")
        + "".join(map(chip, told))
    )
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        links.flows_link("Flows with it", service=name)
        links.view_link("service_map", "Whole map")


def _table(rows: list[dict[str, Any]]) -> None:
    ordered = sorted(rows, key=lambda row: (-failed_tries(row), *pair(row)))
    table = pl.DataFrame([_row(row) for row in ordered])
    st.caption("Select a row to see its flows.")
    config = st.column_config
    row = picking_table(
        table,
        key="service_calls",
        alt="Calls between services, most failed tries first",
        columns={
            "failed %": config.NumberColumn(format="%.1f %%"),
            "p50 (ms)": config.NumberColumn(format="%.1f"),
            "p95 (ms)": config.NumberColumn(format="%.1f"),
        },
    )
    exports(table, "calls")
    if row is not None:
        caller, callee = pair(ordered[row])
        links.open_flows(caller=caller, callee=callee)


def _row(row: Call) -> dict[str, object]:
    tries = number(row, "attempts")
    median, p95 = row["median_ns"], row["p95_ns"]
    return {
        "caller": clean(str(row["caller"])) or "–",
        "callee": clean(str(row["callee"])),
        "flows": number(row, "flows"),
        "calls": number(row, "calls"),
        "tries": tries,
        "retries": tries - number(row, "calls"),
        "failed tries": failed_tries(row),
        "failed %": failed_tries(row) * 100 / tries if tries else None,
        "timeouts": number(row, "timeouts"),
        "end not known": number(row, "unknown"),
        "p50 (ms)": median / 1e6 if isinstance(median, int) else None,
        "p95 (ms)": p95 / 1e6 if isinstance(p95, int) else None,
    }


if __name__ == "__main__":
    screens.guarded(render)
