"""The service map: a box for each service, left of those it calls, with a line for each call.

In: the graph and what of it is chosen. Out: the drawing, which lays itself out for the width of the
window, and what was selected in it. The table beside it on the page says the same in text.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.service_graph import Call, Graph, Node, failed_tries, number, pair
from dashboards.wording import clean, count_text, duration_text, share_text

FAILED_MANY = 20  # one try in so many failed: drawn as failing
LINE_PX_MIN, LINE_PX_MORE = 1.2, 4.8
NAME_LENGTH_MAX = 300  # characters of a name sent to the drawing; the table shows all

_HERE = Path(__file__).parent
_HTML = """
<div class="map">
  <div class="scroll"><div class="field" role="group" aria-label="Services and who calls whom">
    <svg aria-hidden="true"></svg>
  </div></div>
  <div class="legend">
    <span><i style="border-color:#D55E00;border-top-style:dashed"></i>✖ 5 % of tries or more
      failed</span>
    <span><i style="border-color:#E69F00"></i>↻ some were retried</span>
    <span><i style="border-color:#009E73"></i>neither</span>
    <span>on a line: share of tries that failed, of how many; p95 of their latency</span>
    <span><kbd>Tab</kbd> <kbd>↑</kbd> <kbd>↓</kbd> move · <kbd>Enter</kbd> select</span>
    <span class="untold" role="status"></span>
  </div>
</div>
"""

_mount = st.components.v2.component(
    "retrospan_service_map",
    html=_HTML,
    css=(_HERE / "service_map.css").read_text(encoding="utf-8"),
    js="\n".join(
        (_HERE / name).read_text(encoding="utf-8")
        for name in ("service_map_layout.js", "service_map.js")
    ),
)


def service_map(
    graph: Graph, *, key: str, chosen: Sequence[str], on_select: Callable[[], None]
) -> None:
    """Draws the graph. `chosen` names a service, or the caller and callee of a call.

    `on_select` runs before the page does; `picked(key)` tells what was selected.
    """
    _mount(key=key, data=drawing(graph, chosen), height="content", on_select_change=on_select)


def picked(key: str) -> Sequence[str]:
    """What was just selected: one service, or caller and callee; for use inside `on_select`."""
    value = getattr(st.session_state.get(key), "select", None)
    texts = value if isinstance(value, list) and len(value) in (1, 2) else []
    return [text for text in texts if isinstance(text, str)]


def drawing(graph: Graph, chosen: Sequence[str]) -> dict[str, Any]:
    """The graph in numbers and texts, as the drawing takes it."""
    at = {node.name: place for place, node in enumerate(graph.nodes)}
    pairs = [pair(call) for call in graph.calls]
    busiest = max((number(call, "attempts") for call in graph.calls), default=0) or 1
    layers = max((node.layer for node in graph.nodes), default=-1) + 1
    return {
        "layers": [sum(node.layer == layer for node in graph.nodes) for layer in range(layers)],
        "nodes": [_node(node) for node in graph.nodes],
        "edges": [_edge(call, at, busiest) for call in graph.calls],
        "order": sorted(
            range(len(pairs)),
            key=lambda one: (
                -failed_tries(graph.calls[one]),
                -number(graph.calls[one], "attempts"),
                pairs[one],
            ),
        ),
        "chosen": {
            "node": at.get(chosen[0], -1) if len(chosen) == 1 else -1,
            "edge": pairs.index((chosen[0], chosen[1])) if tuple(chosen) in pairs else -1,
        },
    }


def _node(node: Node) -> dict[str, Any]:
    name = clean(node.name)[:NAME_LENGTH_MAX] or "(unnamed)"
    if not node.tries:
        return {"id": node.name, "name": name, "tone": "none", "counts": "not called here",
                "told": f"{name}: no other service calls it in this selection"}  # fmt: skip
    failing = _failing(node.failed, node.tries)
    share = share_text(node.failed, node.tries)
    return {
        "id": node.name,
        "name": name,
        "tone": "bad" if failing else "fine",
        "counts": f"{count_text(node.tries)} · {'✖ ' if failing else ''}{share}",
        "told": f"{name}: {count_text(node.tries)} tries received, {count_text(node.failed)} "
        f"failed ({share})",
    }


def _edge(call: Call, at: Mapping[str, int], busiest: int) -> dict[str, Any]:
    caller, callee = pair(call)
    tries, failed = number(call, "attempts"), failed_tries(call)
    failing = _failing(failed, tries)
    retries = tries - number(call, "calls")
    mark = "✖ " if failing else "↻ " if retries > 0 else ""
    share = share_text(failed, tries)
    p95 = call["p95_ns"]
    latency = f"p95 {duration_text(p95 if isinstance(p95, int) else None)}"
    names = f"{clean(caller) or '(unnamed)'} → {clean(callee)}"[: 2 * NAME_LENGTH_MAX]
    return {
        "from": at[caller],
        "to": at[callee],
        "tone": "bad" if failing else "retried" if retries > 0 else "fine",
        "width": round(LINE_PX_MIN + LINE_PX_MORE * (tries / busiest) ** 0.5, 1),
        "label": [f"{mark}{share} of {count_text(tries)}", latency],
        "told": f"{names}: {count_text(tries)} tries, {count_text(failed)} failed ({share}), "
        f"{count_text(retries)} retries, {latency} (n = {count_text(number(call, 'ended'))})",
    }


def _failing(failed: int, tries: int) -> bool:
    return tries > 0 and failed * FAILED_MANY >= tries
