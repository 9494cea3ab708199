"""Trace: what happened in one flow."""

from functools import partial

import streamlit as st

from dashboards import data, links, screens
from dashboards.components.address_tabs import address_tabs
from dashboards.flow_page import FlowPage, flow_page, flows_of
from dashboards.flow_questions import clock_skew
from dashboards.markup import chip, heading, line, notes, word_chip
from dashboards.moments import moment
from dashboards.pages import PageFacts
from dashboards.shapes import alike
from dashboards.span_tree import SpanTree, lay_out
from dashboards.trace_tabs.checks import checks_tab
from dashboards.trace_tabs.compare import ask_compared, compare_tab
from dashboards.trace_tabs.decisions import decisions_tab
from dashboards.trace_tabs.log_list import logs_tab
from dashboards.trace_tabs.raw import raw_tab
from dashboards.trace_tabs.sequence import sequence_tab
from dashboards.trace_tabs.steps import steps_tab
from dashboards.trace_tabs.timeline import timeline_tab
from dashboards.wording import duration_text, plural, shortened
from store.conclusions import Flow, Verdict
from store.errors import NotFoundError

PAGE = PageFacts(title="Trace", section="Explore", order=50, url_path="trace", listed=False)

INCIDENTS_MAX = 5
COMPARE = "Compare"

_WORST = list(Verdict)


def render() -> None:
    """The page: `?flow=ID`, or `?trace=ID` and maybe `&span=ID`."""
    flow_id = _asked_for()
    if flow_id is None:
        return
    page = _ask(flow_id)
    tree = lay_out(page.spans, page.flow)
    _header(page)
    _doubts(page, tree)
    names = {
        "Waterfall": partial(timeline_tab, page, tree),
        "Steps": partial(steps_tab, page),
        "Sequence": partial(sequence_tab, page),
        "Decisions": partial(decisions_tab, page),
        "Checks": partial(checks_tab, page),
        "Logs": partial(logs_tab, page),
        COMPARE: partial(compare_tab, page),
        "Raw": partial(raw_tab, page, tree),
    }
    address_tabs("tab", names)


def _ask(flow_id: str) -> FlowPage:
    """The flow; what else the page shows is asked ahead, under the same lease."""
    with data.one_lease():
        page = flow_page(flow_id)
        clock_skew()
        if page.flow.variant:
            alike(page.flow)
        if st.query_params.get("tab") == COMPARE:
            ask_compared(page)
    return page


def _asked_for() -> str | None:
    """The flow the address names; several flows in one trace are offered for choice."""
    flow_id = st.query_params.get("flow")
    if flow_id:
        return flow_id
    trace_id, span_id = st.query_params.get("trace"), st.query_params.get("span")
    if not trace_id:
        st.html(heading("Which flow?"))
        st.text("Open a flow from the list, or write its id into the address: /trace?flow=ID")
        st.page_link(links.page("flows"), label="All flows")
        return None
    found = flows_of(trace_id, span_id)
    if not found:
        raise NotFoundError(
            f"no flow holds trace {trace_id}" + (f", span {span_id}" if span_id else "")
        )
    if len(found) == 1:
        return found[0]
    st.html(heading("Several flows share this trace"))
    for one in found[:100]:
        links.trace_link(one, flow=one, span=span_id)
    return None


def _open_points(page: FlowPage) -> int:
    told = [check for saga in page.sagas for check in saga.checks]
    violated = sum(check.verdict in ("violation", "suspected") for check in told)
    return violated + len(page.findings)


def _header(page: FlowPage) -> None:
    flow = page.flow
    version = f"version {flow.version}" if flow.version else "no version recorded"
    st.html(heading(flow.name, above=f"flow of {flow.service}, {version}"))
    st.html(_badges(page))
    took = flow.end_ns - flow.start_ns if flow.end_ns is not None else None
    pairs = [
        f"took {duration_text(took)}" if took is not None else "not ended in this data",
        f"{plural(flow.span_count, 'span')} in {plural(len(flow.trace_ids), 'trace')}",
        f"{plural(len(flow.steps), 'step')}, {plural(flow.attempt_count, 'attempt')}, "
        f"{plural(flow.compensation_count, 'compensation')}",
        f"{plural(len(flow.services), 'service')}: {', '.join(flow.services)}",
    ]
    st.html(f"<div>{moment(flow.start_ns, digits=3)}</div>" + line(pairs))
    left, right = st.columns([2, 3], gap="small", vertical_alignment="center")
    with left:
        st.code(flow.flow_id, language=None, wrap_lines=True)
    with right, st.container(horizontal=True, vertical_alignment="center", gap="small"):
        links.replay_link("Replay, what if", flow=flow.flow_id)
        links.flows_link("Flows of this kind", kind=flow.name)
        if flow.variant:
            links.flows_link("Flows of this shape", shape=flow.variant)
        for incident_id, title in page.incidents[:INCIDENTS_MAX]:
            links.view_link("incidents", f"Incident {shortened(title, 40)}", id=incident_id)
        with st.popover("As command", type="tertiary"):
            links.as_command("flows", "show", flow.flow_id, "--json")


def _badges(page: FlowPage) -> str:
    flow = page.flow
    badges = [word_chip(flow.outcome, label="outcome:")]
    if page.sagas:
        worst = min((saga.verdict for saga in page.sagas), key=_WORST.index)
        badges.append(word_chip(worst, label="saga:", title="The worst of all checks"))
    else:
        badges.append(chip("saga: none found"))
    controls = [one for one in page.replays if one.scenario is None]
    badges += [word_chip(one.verdict, label=f"replay ({one.mode}):") for one in controls[:3]]
    if not controls:
        badges.append(chip("replay: not run", title="retrospan replay run FLOW_ID"))
    left = sum(len(saga.residual_effects) for saga in page.sagas)
    if left:
        badges.append(chip(f"{plural(left, 'effect')} left standing", tone="error", icon="⚠"))
    points = _open_points(page)
    if points:
        badges.append(
            chip(f"{points} in Checks", tone="warn", icon="◐", title="Checks and findings")
        )
    if page.decisions:
        badges.append(chip(plural(len(page.decisions), "AI decision"), tone="info"))
    badges += [
        chip(f"incident: {title}", tone="warn", icon="◐")
        for _, title in page.incidents[:INCIDENTS_MAX]
    ]
    if flow.variant:
        shaped, named = alike(flow)
        told = f"the same steps with the same ends, over all flows of this name: {flow.variant}"
        badges.append(chip(f"shape: {shaped:,} of {plural(named, 'flow')}", title=told))
    badges.append(chip(f"replayability {flow.replayability}", title="R0 none … R4 full"))
    badges.append(chip(f"architecture: {flow.architecture}"))
    return "".join(badges)


def _doubts(page: FlowPage, tree: SpanTree) -> None:
    flow = page.flow
    lines = []
    if tree.parents_missing:
        verb = "names a parent that is" if tree.parents_missing == 1 else "name parents that are"
        lines.append(f"{plural(tree.parents_missing, 'span')} {verb} not in the store.")
    if tree.unfinished:
        lines.append(f"{plural(tree.unfinished, 'span')} had not ended when recording stopped.")
    if not flow.complete and not lines:
        lines.append("This flow was not recorded completely.")
    if tree.left_out:
        lines.append(
            f"{plural(tree.left_out, 'span')} beyond the first {len(tree.rows):,} left out."
        )
    lines += [f"Not recorded: {gap}" for gap in flow.evidence_gaps]
    lines += _clocks(flow)
    if lines:
        st.html(notes(lines, tone="warn"))


def _clocks(flow: Flow) -> list[str]:
    """Services of the flow whose clocks disagree, so that bars of one are shifted to the other."""
    return [
        f"Clocks: {one.callee} is about {duration_text(abs(one.offset_ns))} "
        f"{'ahead of' if one.offset_ns > 0 else 'behind'} {one.caller} (median of "
        f"{plural(one.calls, 'call')}); the waterfall shows times as recorded."
        for one in clock_skew()
        if one.certain and one.caller in flow.services and one.callee in flow.services
    ]


if __name__ == "__main__":
    screens.guarded(render)
