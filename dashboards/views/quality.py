"""Data quality: may I believe the rest?"""

from collections.abc import Sequence

import streamlit as st

from dashboards import data, links, screens
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.plain_table import plain_table
from dashboards.doubts import Doubt, doubts_of
from dashboards.markup import notes
from dashboards.moments import moment
from dashboards.pages import PageFacts
from dashboards.quality_parts.read import FLOWS_MAX, Quality, quality
from dashboards.quality_parts.tables import gap_rows, reject_rows, service_rows, skew_rows
from dashboards.scope import Scope
from dashboards.scoped import scoped
from dashboards.wide_ranges import wanted
from dashboards.wording import plural
from retrospan.timespan import rfc3339
from store.conclusions import Evidence

PAGE = PageFacts(title="Data quality", section="Data", order=95, url_path="quality")


def render() -> None:
    """The page: `?about=SERVICE` narrows the gaps to one service."""
    start = scoped("Data quality", "May I believe the rest?", FLOWS_MAX, tells_doubts=True)
    if start is None:
        return
    holdings, scope = start
    _doubts(doubts_of(scope, holdings))
    if not wanted(scope, data.flow_count(scope), FLOWS_MAX):
        return
    found = quality(scope)
    _cards(found)
    _scope_note(scope)
    _services(found)
    _gaps(found, st.query_params.get("about", ""))
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Records that could not be read")
        _rejects(found)
    with right:
        st.subheader("Clocks")
        _clocks(found)
    st.subheader("What was loaded")
    _loaded(found)
    with st.expander("From the command line"):
        links.as_command("quality", "report", *_range(scope), "--json")


def _doubts(doubts: Sequence[Doubt]) -> None:
    if doubts:
        st.html(notes([line for doubt in doubts for line in doubt.told], tone="warn"))
    else:
        st.html(notes(["Counts of this selection give no reason to doubt it."], tone="ok"))


def _range(scope: Scope) -> list[str]:
    ends = (("--since", scope.since_ns), ("--until", scope.until_ns))
    return [text for name, ns in ends if ns is not None for text in (name, rfc3339(ns))]


def _scope_note(scope: Scope) -> None:
    if scope.since_ns is not None or scope.until_ns is not None:
        st.caption(
            "The cards above, clocks, refused and loaded records are of the whole store; services "
            "and gaps of the traces and flows that began in this range, and of decisions and log "
            "records of that time."
        )
    if scope.environment or scope.services:
        st.caption("A gap belongs to a service: environment and service choose nothing here.")


def _cards(found: Quality) -> None:
    counts = found.counts
    gaps = found.report.gaps
    worst = found.report.services[0] if found.report.services else None
    cards = [
        ("Spans", f"{counts.spans:,}", f"in {plural(counts.flows, 'flow')}"),
        ("Log records", f"{counts.logs:,}", f"and {plural(counts.decisions, 'decision')}"),
        (
            "Not read",
            f"{counts.rejects:,}",
            "input records kept aside with their reason",
        ),
        (
            "Not derived",
            f"{counts.underived_traces:,}",
            "traces in no flow yet"
            if not counts.underived_traces
            else "traces in no flow yet: load again to derive them",
        ),
        (
            "Kinds of gaps",
            f"{len({gap.gap.name for gap in gaps}):,}",
            f"at {plural(len({gap.service for gap in gaps}), 'service')}; "
            + (f"worst: {worst.service or '(no name)'}" if worst is not None else "no service"),
        ),
    ]
    for column, (title, value, scope) in zip(st.columns(len(cards)), cards, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.metric(title, value)
            st.caption(scope)
    if counts.data_start_ns is not None:
        st.html(
            f"<div>Data from {moment(counts.data_start_ns)} to {moment(counts.data_end_ns)}</div>"
        )


def _services(found: Quality) -> None:
    st.subheader("Services")
    if not found.report.services:
        st.text("No service was heard of.")
        return
    table = service_rows(found.report)
    st.caption(
        "Share of the evidence that is there, weighted by what its absence costs. Select a row to "
        "see the gaps of one service."
    )
    row = picking_table(table, key="quality_services", alt="Services, the least covered first")
    if row is not None:
        links.open_view("quality", about=found.report.services[row].service)
    exports(table, "coverage-by-service")


def _gaps(found: Quality, about: str) -> None:
    st.subheader("What cannot be known" + (" of one service" if about else ""))
    if about:
        st.code(about, language=None)
        links.view_link("quality", "All services")
    gaps = [gap for gap in found.report.gaps if not about or gap.service == about]
    if not gaps:
        st.text("No gap was found." if not about else "No gap was found at this service.")
    else:
        st.caption("Select a row to open an example of it.")
        row = picking_table(
            gap_rows(gaps), key="quality_gaps", alt="Gaps, the dearest first", height_max_px=460
        )
        if row is not None:
            _example(gaps[row].evidence)
        exports(gap_rows(gaps), "gaps")
    if found.report.not_applicable:
        names = ", ".join(name.replace("_", " ") for name in found.report.not_applicable)
        st.caption(f"Nothing in this data could have had: {names}.")


def _example(evidence: Sequence[Evidence]) -> None:
    first = next((one for one in evidence if one.trace_id), None)
    if first is None:
        st.html(notes(["No example was kept of this gap."]))
        return
    span = {"span": first.span_id} if first.span_id else {}
    links.open_view("trace", trace=first.trace_id or "", **span)


def _rejects(found: Quality) -> None:
    if not found.counts.rejects:
        st.text("Every record of every input was read.")
        return
    table = reject_rows(found.rejects)
    if table.is_empty():
        st.text(f"{plural(found.counts.rejects, 'record')}; their reasons were not kept.")
        return
    plain_table(table, key="quality_rejects", alt="Records kept aside, by reason")
    exports(table, "rejected-records")


def _loaded(found: Quality) -> None:
    st.caption(
        "Inputs are told apart by their content. Duplicates were there already; superseded records "
        "gave way to a fuller version of the same span."
    )
    plain_table(found.loaded, key="quality_loaded", alt="What was loaded, by reader")
    exports(found.loaded, "loaded")


def _clocks(found: Quality) -> None:
    if not found.skews:
        st.text("No call was seen on both ends: nothing can be said of clocks.")
        return
    surely = sum(one.certain for one in found.skews)
    st.caption(
        f"{surely:,} of {plural(len(found.skews), 'pair')} of services surely disagree. Times are "
        "shown as recorded; order comes from causes first."
    )
    table = skew_rows(found.skews)
    plain_table(table, key="quality_clocks", alt="Clock offsets between services")


if __name__ == "__main__":
    screens.guarded(render)
