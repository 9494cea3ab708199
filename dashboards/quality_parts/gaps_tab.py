"""What cannot be known and why: services by the share of their evidence that is there, gaps."""

from collections.abc import Sequence

import streamlit as st

from analyzer.quality import QualityReport
from dashboards import links
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.markup import notes
from dashboards.quality_parts.read import quality
from dashboards.quality_parts.tables import gap_rows, service_rows
from dashboards.scope import Scope
from retrospan.timespan import rfc3339
from store.conclusions import Evidence


def gaps_tab(scope: Scope) -> None:
    """`?about=SERVICE` narrows the gaps to one service."""
    report = quality(scope)
    if scope.environment or scope.services:
        st.caption("A gap belongs to a service: environment and service choose nothing here.")
    st.subheader("Services")
    _services(report)
    _gaps(report, st.query_params.get("about", ""))
    with st.expander("From the command line"):
        links.as_command("quality", "report", *_range(scope), "--json")


def _range(scope: Scope) -> list[str]:
    ends = (("--since", scope.since_ns), ("--until", scope.until_ns))
    return [text for name, ns in ends if ns is not None for text in (name, rfc3339(ns))]


def _services(report: QualityReport) -> None:
    if not report.services:
        st.text("No service was heard of.")
        return
    table = service_rows(report)
    st.caption(
        "Share of the evidence that is there, weighted by what its absence costs. Select a row to "
        "see the gaps of one service."
    )
    row = picking_table(table, key="quality_services", alt="Services, the least covered first")
    if row is not None:
        links.open_view("quality", about=report.services[row].service)
    exports(table, "coverage-by-service")


def _gaps(report: QualityReport, about: str) -> None:
    st.subheader("What cannot be known" + (" of one service" if about else ""))
    if about:
        st.code(about, language=None)
        links.view_link("quality", "All services")
    gaps = [gap for gap in report.gaps if not about or gap.service == about]
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
    if report.not_applicable:
        names = ", ".join(name.replace("_", " ") for name in report.not_applicable)
        st.caption(f"Nothing in this data could have had: {names}.")


def _example(evidence: Sequence[Evidence]) -> None:
    first = next((one for one in evidence if one.trace_id), None)
    if first is None:
        st.html(notes(["No example was kept of this gap."]))
        return
    span = {"span": first.span_id} if first.span_id else {}
    links.open_view("trace", trace=first.trace_id or "", **span)
