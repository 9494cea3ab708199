"""Replay & what-if: whether a flow is reproducible, and what if something had been different."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl
import streamlit as st

from dashboards import data, links, screens
from dashboards.components.address_filters import filter_text
from dashboards.components.picking_table import picking_table
from dashboards.data import Holdings, Overview
from dashboards.flow_page import replays_of
from dashboards.markup import heading, notes, worded
from dashboards.pages import PageFacts
from dashboards.replay_parts.for_report import for_report
from dashboards.replay_parts.population import all_at_once, each_alone
from dashboards.replay_parts.result import control, outcome
from dashboards.replay_parts.runs import runs_part
from dashboards.replay_parts.stored import stored_part
from dashboards.replays import FLOWS_MAX, Kind, learnt_from, operations, replayed
from dashboards.scope import Scope
from dashboards.scoped import begun
from dashboards.what_ifs import FORMS, ONLY_OF_ALL, file_name, scenario_text
from dashboards.wording import clean, plural, shortened, time_text
from store.errors import DataError, NotFoundError, UsageError

PAGE = PageFacts(title="Replay & what-if", section="Replay", order=90, url_path="replay")

OFFERED_MAX = 100
BAD = ("failed", "compensation_failed", "partially_compensated", "compensated")
NONE = ""


def render() -> None:
    """The page: `?flow=ID`, and maybe `&change=timeout&op=…&value=…`."""
    asks = "Is it reproducible; what if something had been different?"
    start = begun("Replay & what-if", asks, FLOWS_MAX, _ask)
    if start is None:
        return
    overview, scope = start
    flow_id = st.query_params.get("flow")
    if not flow_id:
        _choose(overview)
        runs_part(scope)
        return
    kind = _kind(flow_id)
    near = _reach(scope, flow_id)
    _head(flow_id, kind)
    if near is not scope:
        st.caption(f"It began outside this range. Looked at instead: {near.told()}.")
    scope = near
    try:
        run = replayed((flow_id,), None, scope)
        _learnt(kind, scope)
    except UsageError as error:
        _said(error)
        links.as_command("replay", "run", flow_id)
        return
    left, right = st.columns([2, 3], gap="medium")
    with left:
        text = _form(kind, scope)
    with right:
        st.subheader("Control: the recording, unchanged")
        control(run.results[0])
        links.as_command("replay", "run", flow_id, "--explain")
        if text is not None:
            _file(flow_id, text)
    stored_part(flow_id)
    st.divider()
    if text is None:
        st.subheader("The control replay")
        outcome(run.flows[0], run.results[0])
        return
    _what_if(overview, scope, flow_id, kind, text)


def _ask(holdings: Holdings, scope: Scope) -> None:
    """What is asked of one flow, but for the flows its program is learnt from."""
    del holdings
    flow_id = st.query_params.get("flow")
    if flow_id:
        _kind(flow_id)
        _reach(scope, flow_id)
        replays_of(flow_id)


def _reach(scope: Scope, flow_id: str) -> Scope:
    """Where its program is learnt: in the range, or from flows around it when it lies outside."""
    start_ns = int(data.overview(Scope(), (flow_id,)).flows["start_ns"][0])
    after = scope.since_ns is None or start_ns >= scope.since_ns
    if after and (scope.until_ns is None or start_ns < scope.until_ns):
        return scope
    since_ns, until_ns = data.around(start_ns, FLOWS_MAX)
    return replace(scope, since_ns=since_ns, until_ns=until_ns)


def _learnt(kind: Kind, scope: Scope) -> None:
    """Which flows its program was learnt from, where the command learns from more."""
    if scope.since_ns is None and scope.until_ns is None:
        return
    flows = plural(len(learnt_from(kind, scope)), "flow")
    st.caption(
        f"Its program is learnt from {flows} of its kind in this range. The command learns from "
        "all flows of its kind: of other flows a program, and so its digest, can be another."
    )


def _what_if(overview: Overview, scope: Scope, flow_id: str, kind: Kind, text: str) -> None:
    change = st.query_params.get("change", NONE)
    try:
        if change not in ONLY_OF_ALL:
            st.subheader("The what-if, for this flow alone")
            run = replayed((flow_id,), text, scope)
            outcome(run.flows[0], run.results[0])
            st.divider()
            same = overview.flows.filter(
                (pl.col("name") == kind[0]) & (pl.col("version") == kind[1])
            )
            each_alone(list(same["flow_id"]), kind, text, scope)
            st.divider()
            for_report(flow_id, text)
        if change in FORMS and FORMS[change].of_all:
            st.divider()
            all_at_once(kind, text, scope)
    except (DataError, UsageError) as error:
        _said(error)


def _said(error: Exception) -> None:
    st.html(notes([shortened(clean(str(error)), 600)], tone="warn"))


def _kind(flow_id: str) -> Kind:
    found = data.overview(Scope(), [flow_id]).flows
    if found.is_empty():
        raise NotFoundError(f"no flow {flow_id!r} in this store; choose another")
    return str(found["name"][0]), str(found["version"][0])


def _head(flow_id: str, kind: Kind) -> None:
    left, right = st.columns([5, 2], gap="small", vertical_alignment="center")
    with left:
        st.html(heading(flow_id, above=f"{kind[0]} {kind[1]}".strip(), size_rem="1.2"))
    with right, st.container(horizontal=True, vertical_alignment="center"):
        links.trace_link("Its trace", flow=flow_id)
        st.button("Another flow", key="replay-other", type="tertiary", on_click=_forget)


def _forget() -> None:
    links.change_address(dict.fromkeys(("flow", "change", "op", "value"), ""))


def _choose(overview: Overview) -> None:
    filter_text("Flow id", "flow")
    bad = overview.flows.filter(pl.col("outcome").is_in(list(BAD)))
    shown = (bad if bad.height else overview.flows).head(OFFERED_MAX)
    word = "that did not simply succeed" if bad.height else "of this selection"
    st.caption(
        f"The latest {plural(shown.height, 'flow')} {word}. Pick a row, or come here from a "
        "flow's own page."
    )
    table = shown.select(
        pl.col("start_ns").map_elements(time_text, return_dtype=pl.String).alias("start"),
        pl.col("name").alias("flow"),
        "version",
        pl.col("outcome").map_elements(worded, return_dtype=pl.String),
        pl.col("replayability").alias("replayable, R0 none to R4 full"),
        "flow_id",
    )
    row = picking_table(table, key="replay_flows", alt="Flows to replay", height_max_px=560)
    if row is not None:
        links.open_replay(str(shown["flow_id"][row]))


def _form(kind: Kind, scope: Scope) -> str | None:
    """The what-if of the address as a scenario; None when nothing is to be different."""
    st.subheader("What if …")
    known = _operations(kind, scope)
    change = _select("Change", "change", [NONE, *FORMS], _change_words)
    if change == NONE:
        st.caption("Nothing changed: the page shows the control replay.")
        return None
    form = FORMS[change]
    operation = ""
    if form.needs:
        operation = _select("Operation", "op", ["", *known], lambda op: clean(op) or "choose one")
    unit = f" ({form.unit})" if form.unit else ""
    value = filter_text(f"Value{unit}", "value", f"such as {form.example}")
    try:
        return scenario_text(change, operation, value)
    except UsageError as error:
        _said(error)
        return None


def _operations(kind: Kind, scope: Scope) -> Sequence[str]:
    try:
        return operations(kind, scope)
    except UsageError as error:
        _said(error)
        return ()


def _change_words(key: str) -> str:
    return FORMS[key].label if key in FORMS else "nothing"


def _select(label: str, name: str, options: Sequence[str], words: Callable[[str], str]) -> str:
    """A choice whose truth is the address; what the address names and is not there is dropped."""
    key = f"what-if-{name}"
    wanted = st.query_params.get(name, "")
    if wanted not in options:
        st.html(notes([f"{name}={shortened(wanted, 100)} in the address is not known here."]))
        wanted = ""
    st.session_state[key] = wanted
    chosen: str = st.selectbox(
        label,
        list(options),
        key=key,
        format_func=words,
        on_change=_write,
        args=(key, name),
    )
    return chosen


def _write(key: str, name: str) -> None:
    value = st.session_state[key]
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def _file(flow_id: str, text: str) -> None:
    name = f"{file_name(text)}.yaml"
    with st.expander("The scenario as a file, and as a command"):
        # Pasted into a shell this makes the file that the commands below read.
        st.code(f"cat > {name} <<'END'\n{text}END", language="bash", wrap_lines=True)
        st.download_button(
            "Save the scenario",
            data=text,
            file_name=name,
            mime="application/yaml",
            key="what-if-save",
            on_click="ignore",
        )
        links.as_command("replay", "run", flow_id, "--scenario", name, "--explain")
        links.as_command("replay", "batch", "--scenario", name)


if __name__ == "__main__":
    screens.guarded(render)
