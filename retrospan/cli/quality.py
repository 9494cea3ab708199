"""`retrospan quality`: what of the data cannot be believed, and what would settle it."""

from typing import TYPE_CHECKING

import typer

from retrospan.edge import edge_of, put
from retrospan.listing import (
    AsJson,
    Column,
    Format,
    FormatOption,
    Listing,
    Row,
    Since,
    Until,
    field,
    show,
)
from retrospan.timespan import parse_moment, rfc3339

if TYPE_CHECKING:
    from analyzer.quality.report import GapCount, QualityReport, Range
    from retrospan.documents import Document
    from store.read import StoreCounts

app = typer.Typer(help="Data quality: what cannot be told, and why.", no_args_is_help=True)

GAP_CELLS = (
    "gap", "service", "about", "checked", "affected", "undetermined", "share", "gain",
    "attribute", "makes_unknowable",
)  # fmt: skip


def _percent(name: str) -> "Column":
    def cell(row: Row) -> str | None:
        value = row[name]
        return None if not isinstance(value, int | float) else f"{100 * value:.1f} %"

    return Column(header=name, show=cell, right=True)


def _best(name: str) -> "Column":
    def cell(row: Row) -> object:
        best = row["best"]
        if not isinstance(best, dict):
            return None
        value = best[name]
        return f"+{100 * value:.1f} %" if isinstance(value, float) else value

    return Column(header={"attribute": "what would raise it most", "gain": "by"}[name], show=cell)


SERVICE_COLUMNS = (
    field("service", "service"),
    _percent("score"),
    field("spans (n)", "spans", right=True),
    field("questions (n)", "applicable", right=True),
    _best("attribute"),
    _best("gain"),
)
GAP_COLUMNS = (
    field("gap", "gap"),
    field("service", "service"),
    field("of", "about"),
    field("checked (n)", "checked", right=True),
    field("affected (n)", "affected", right=True),
    field("cannot tell (n)", "undetermined", right=True),
    _percent("share"),
    field("makes unknowable", "makes_unknowable"),
    field("settled by", "attribute"),
)


@app.command("report")
def report_quality(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Coverage score per service with the attribute that would raise it most, and every gap with
    what it makes unknowable. A range looks at traces and flows that began in it."""
    from analyzer.quality import quality_report
    from analyzer.quality.report import EVER
    from store import read

    edge = edge_of(context)
    with edge.reading("reporting data quality") as session:
        counts = read.counts(session)
        end_ns = counts.data_end_ns
        within = (
            None if since is None else parse_moment(since, end_ns, "--since"),
            None if until is None else parse_moment(until, end_ns, "--until"),
        )
        report = quality_report(session, within)
    document = quality_document(report, counts, within)
    services, gaps = document["services"], document["gaps"]
    assert isinstance(services, list) and isinstance(gaps, list)
    rows = Listing(
        document=document,
        rows=[row for row in gaps if isinstance(row, dict)],
        columns=GAP_COLUMNS,
        cells=GAP_CELLS,
        empty="no gap was found in what is stored",
    )
    if form is Format.TABLE and not as_json:
        put([covered(counts)])
        if within != EVER:
            put([ranged(report, within)])
        show(
            Listing(
                document=document,
                rows=[row for row in services if isinstance(row, dict)],
                columns=SERVICE_COLUMNS,
                cells=(),
                empty="nothing is stored; `retrospan ingest PATH` loads data",
            ),
            form,
            False,
        )
        put([""])
    show(rows, form, as_json)


def covered(counts: "StoreCounts") -> str:
    """What the report looked at, in one line."""
    said = (
        f"Looked at {counts.spans} spans, {counts.logs} log records, {counts.decisions} decisions, "
        f"{counts.flows} flows; {counts.rejects} records were refused on loading."
    )
    if counts.underived_traces:
        said += f" {counts.underived_traces} traces are in no flow yet: run retrospan ingest."
    return said


def ranged(report: "QualityReport", within: "Range") -> str:
    """What of it the report is about, in one line."""
    since, until = (None if ns is None else rfc3339(ns) for ns in within)
    spans = sum(one.spans for one in report.services)
    return (
        f"Gaps below are of traces and flows that began from {since or 'the start'} to "
        f"{until or 'the end'}: {spans} spans."
    )


def quality_document(report: "QualityReport", counts: "StoreCounts", within: "Range") -> "Document":
    """`retrospan.quality/1`; scores, shares and gains are 0 to 1 with six digits."""
    return {
        "schema": "retrospan.quality/1",
        "covered": {
            "spans": counts.spans,
            "logs": counts.logs,
            "decisions": counts.decisions,
            "flows": counts.flows,
            "rejected": counts.rejects,
            "underived_traces": counts.underived_traces,
            "start_ns": counts.data_start_ns,
            "end_ns": counts.data_end_ns,
            "since_ns": within[0],
            "until_ns": within[1],
        },
        "services": [
            {
                "service": one.service,
                "score": round(float(one.score), 6),
                "spans": one.spans,
                "applicable": one.applicable,
                "best": None
                if one.best is None
                else {
                    "gap": one.best.gap.name,
                    "attribute": one.best.gap.attribute,
                    "gain": round(float(one.best.gain), 6),
                },
            }
            for one in report.services
        ],
        "gaps": [_gap_row(gap) for gap in report.gaps],
        "not_applicable": list(report.not_applicable),
    }


def _gap_row(count: "GapCount") -> "Document":
    from retrospan.documents import evidence_document

    return {
        "gap": count.gap.name,
        "service": count.service,
        "about": count.gap.about,
        "checked": count.checked,
        "affected": count.affected,
        "undetermined": count.undetermined,
        "share": round(count.lacking / count.checked, 6),
        "gain": round(float(count.gain), 6),
        "attribute": count.gap.attribute,
        "makes_unknowable": count.gap.makes_unknowable,
        "evidence": [evidence_document(one) for one in count.evidence],
    }
