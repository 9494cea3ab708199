"""Service map: who calls whom, and where it hurts."""

from typing import Any

import polars as pl
import streamlit as st

from dashboards import data, flow_questions, links, screens
from dashboards.chart_axes import ground, ink
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.picks import followed, pick_key
from dashboards.markup import chip, facts, heading, notes
from dashboards.pages import PageFacts
from dashboards.scoped import scoped
from dashboards.service_graph import Call, Graph, Node, failed_tries, graph_of, number, pair
from dashboards.wide_ranges import wanted
from dashboards.wording import clean, count_text, duration_text, plural, share_text, shortened

PAGE = PageFacts(title="Service map", section="Explore", order=60, url_path="map")

FLOWS_MAX = 10_000  # flows whose calls are counted within about a second
WIDTH_PX, PLACE_PX = 860, 58
HEIGHT_PX_MIN, HEIGHT_PX_MAX = 300, 900
NODE_PX_MIN, NODE_PX_MAX = 16, 34
STAGGERED_FROM = 6  # services of a fuller layer stand in two columns
LABEL_LENGTH_MAX = 28
OK, BAD, WARN = "#009E73", "#D55E00", "#E69F00"
FAILED_MANY = 20  # one try in so many failed: drawn as failing


def render() -> None:
    """The page: `?caller=A&callee=B` or `?node=A` opens at a call or a service."""
    start = scoped("Service map", "Who calls whom, where does it hurt?", FLOWS_MAX)
    if start is None:
        return
    _, scope = start
    flows = data.flow_count(scope)
    if not wanted(scope, flows, FLOWS_MAX):
        return
    with data.one_lease():
        calls = flow_questions.service_calls(scope)
    if calls.is_empty():
        st.text("No call between services was found in these flows: each ran in one service.")
        return
    rows = calls.to_dicts()
    graph = graph_of(rows)
    _doubts(graph, rows, flows)
    left, right = st.columns([7, 3], gap="medium")
    with left:
        _draw(graph)
    with right:
        _panel(graph, _minutes(flow_questions.started(scope)))
    st.subheader("Calls")
    _table(rows)


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
    widest = max(node.layer_size for node in graph.nodes)
    most = max(node.tries for node in graph.nodes) or 1
    busiest = max(number(call, "attempts") for call in graph.calls) or 1
    place = {node.name: at for at, node in enumerate(graph.nodes)}
    layers = max(node.layer for node in graph.nodes) + 1
    height = min(HEIGHT_PX_MAX, max(HEIGHT_PX_MIN, widest * PLACE_PX + 80))
    spec = {
        "animation": False,
        "tooltip": {"show": True},
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "roam": True,
                "preserveAspect": True,
                "selectedMode": "single",
                "left": 70,
                "right": 70,
                "top": 30,
                "bottom": 50,
                "edgeSymbol": ["none", "arrow"],
                "edgeSymbolSize": 9,
                "label": {
                    "show": True,
                    "position": "bottom",
                    "fontSize": 12,
                    "color": ink(),
                    "backgroundColor": ground(),
                },
                "emphasis": {"focus": "adjacency"},
                "data": [_node(node, layers, height - 80, most) for node in graph.nodes],
                "links": [_edge(call, place, busiest) for call in graph.calls],
            }
        ],
    }
    state = st.echarts_chart(
        spec,
        key=pick_key("service_graph"),
        height=height,
        on_select="rerun",
        alt=f"{plural(len(graph.nodes), 'service')} and {plural(len(graph.calls), 'kind')} of "
        "calls between them; the table below says the same",
    )
    st.caption(
        "Size = tries received. Dashed vermilion and ✖: 5 % of tries or more failed; orange: some "
        "were retried; green: neither. Select a service or an edge for its numbers."
    )
    _picked(state, graph)


def _picked(state: Any, graph: Graph) -> None:
    """Writes what was selected into the address."""
    groups = state.get("selection", {}).get("selected", [])
    if not groups or not groups[0]["data_indices"]:
        return
    at = int(groups[0]["data_indices"][0])
    if groups[0].get("data_type") == "edge":
        caller, callee = pair(graph.calls[at])
        chosen = {"caller": caller, "callee": callee}
    else:
        chosen = {"node": graph.nodes[at].name}
    followed("service_graph")
    st.query_params.from_dict(links.in_scope(**chosen))


def _node(node: Node, layers: int, height: int, most: int) -> dict[str, Any]:
    step = WIDTH_PX / max(1, layers - 1)
    aside = step * 0.35 if node.layer_size >= STAGGERED_FROM and node.place % 2 else 0
    failing = node.tries > 0 and node.failed * FAILED_MANY >= node.tries
    size = NODE_PX_MIN + (NODE_PX_MAX - NODE_PX_MIN) * (node.tries / most) ** 0.5
    mark = "✖ " if failing else ""
    told = f"{node.tries:,} tries received, {node.failed:,} failed"
    return {
        "name": node.name,
        "x": round(node.layer * step + aside),
        "y": round((node.place + 0.5) * height / node.layer_size),
        "symbolSize": round(size),
        "value": told,
        "itemStyle": {
            "color": "#0072B2" if node.tries else "#6A8BB5",
            "borderWidth": 4,
            "borderColor": BAD if failing else OK,
            "borderType": "dashed" if failing else "solid",
        },
        "label": {"formatter": mark + shortened(clean(node.name), LABEL_LENGTH_MAX)},
        "tooltip": {"formatter": "{b}: {c}"},
    }


def _edge(call: Call, place: dict[str, int], busiest: int) -> dict[str, Any]:
    caller, callee = pair(call)
    tries, failed = number(call, "attempts"), failed_tries(call)
    failing = tries > 0 and failed * FAILED_MANY >= tries
    retried = tries > number(call, "calls")
    color = BAD if failing else WARN if retried else OK
    return {
        "source": place[caller],
        "target": place[callee],
        "value": f"{tries} tries, {failed} failed, {tries - number(call, 'calls')} retries",
        "lineStyle": {
            "width": round(1 + 5 * (tries / busiest) ** 0.5, 1),
            "color": color,
            "type": "dashed" if failing else "solid",
            "opacity": 0.95 if failing else 0.55,
            "curveness": 0.12,
        },
    }


def _panel(graph: Graph, minutes: float | None) -> None:
    caller, callee = st.query_params.get("caller"), st.query_params.get("callee")
    name = st.query_params.get("node")
    for call in graph.calls:
        if pair(call) == (caller, callee):
            _call(call, minutes)
            return
    if caller or callee or name:
        if name and any(node.name == name for node in graph.nodes):
            _service(name, graph, minutes)
        else:
            st.text("What the address names makes no call in this selection of flows.")
        return
    worst = max(graph.calls, key=lambda call: (failed_tries(call), *reversed(pair(call))))
    if failed_tries(worst):
        st.caption("The call with the most failed tries, chosen for you. Select another.")
        _call(worst, minutes)
    else:
        st.text("No try failed. Select a service or an edge to see its numbers and flows.")


def _call(call: Call, minutes: float | None) -> None:
    caller, callee = pair(call)
    tries, calls = number(call, "attempts"), number(call, "calls")
    rate = f"{calls / minutes:.1f} a minute" if minutes else "one moment only"
    median, p95 = call["median_ns"], call["p95_ns"]
    with st.container(border=True):
        st.html(heading(f"{caller or '(unnamed)'} → {callee}", size_rem="1.1"))
        st.html(
            facts(
                [
                    ("calls", f"{count_text(calls)} ({rate}, as recorded)"),
                    ("failed calls", _of(number(call, "failed_calls"), calls)),
                    ("tries", f"{count_text(tries)}, {tries - calls:,} of them retries"),
                    ("failed tries", _of(failed_tries(call), tries)),
                    ("of these timeouts", count_text(number(call, "timeouts"))),
                    ("end not known", _of(number(call, "unknown"), tries)),
                    (
                        "latency",
                        f"p50 {duration_text(median if isinstance(median, int) else None)}, p95 "
                        f"{duration_text(p95 if isinstance(p95, int) else None)} "
                        f"(n = {number(call, 'ended'):,} tries)",
                    ),
                ]
            )
        )
        target = {"caller": caller, "callee": callee}
        links.flows_link(plural(number(call, "flows"), "flow"), **target)
        if failed_tries(call):
            links.flows_link("Only flows where a try failed", **target, how="failed")
        if tries > calls:
            links.flows_link("Only flows with a retry of it", **target, how="retried")


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({share_text(part, whole)})"


def _service(name: str, graph: Graph, minutes: float | None) -> None:
    with st.container(border=True):
        st.html(heading(name, above="service", size_rem="1.1"))
        into = [call for call in graph.calls if pair(call)[1] == name]
        out = [call for call in graph.calls if pair(call)[0] == name]
        st.html(
            chip(plural(len(into), "caller")) + chip(f"calls {plural(len(out), 'other service')}")
        )
        links.flows_link(f"Flows with {name}", service=name)
    for call in [*into, *out]:
        _call(call, minutes)


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
