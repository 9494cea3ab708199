"""`retrospan governance report`: every metric of decisions, with how sure it is."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import ExitCode, edge_of, put
from retrospan.listing import AsJson, Column, Format, FormatOption, Listing, Row, field, show
from retrospan.output import write_text
from retrospan.oversight_documents import value_text

if TYPE_CHECKING:
    from analyzer.oversight.measure import Case
    from retrospan.edge import Edge
    from store.conclusions import Finding


class Told(StrEnum):
    """What decisions are told apart by."""

    MODEL = "model"
    POLICY = "policy"
    ARM = "arm"
    FLOW = "flow"


class Reader(StrEnum):
    """Whom a document is written for."""

    RISK = "risk"


def _value(name: str) -> Column:
    return Column(header=name, show=lambda row: value_text(row["unit"], row[name]), right=True)


COLUMNS = (
    Column(header="of", show=lambda row: _of(row)),
    field("metric", "metric"),
    _value("value"),
    _value("low"),
    _value("high"),
    field("n", "n", right=True),
    field("unknown", "unknown", right=True),
    field("status", "status"),
    field("note", "note"),
)
CELLS = ("filter", "metric", "unit", "value", "low", "high", "n", "unknown", "status", "note")


def report_governance(
    context: typer.Context,
    by: Annotated[
        Told | None, typer.Option(help="One set of metrics per model, policy, arm or flow kind.")
    ] = None,
    reader: Annotated[
        Reader | None, typer.Option("--for", help="Write a document for these readers.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the document here.")
    ] = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Measure decisions, each metric with n, interval and what is unknown. Judges nothing."""
    from analyzer.oversight.report import SLICES_MAX, By, measured, slice_count
    from retrospan.oversight_documents import governance_document, metric_row
    from retrospan.risk_report import risk_report
    from store.errors import UsageError

    if reader is not None and by is not None:
        raise UsageError("--for writes of all decisions: leave --by out")
    if out is not None and reader is None:
        raise UsageError("-o needs --for risk: whom the document is for")
    edge = edge_of(context)
    case, findings = _case(edge)
    told_by = None if by is None else By(by.value)
    found = measured(case, told_by)
    if reader is not None:
        text = risk_report(case, [it.measure for it in found], findings)
        if out is None:
            put([text.rstrip("\n")])
            return ExitCode.FINE
        write_text(out, text)
        if not as_json:
            put([str(out)])
            return ExitCode.FINE
    rows = [metric_row(it) for it in found]
    show(
        Listing(
            document=governance_document(rows, len(case.decisions)),
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="no decision is recorded",
        ),
        form,
        as_json,
    )
    if told_by is not None and (more := slice_count(case, told_by) - SLICES_MAX) > 0:
        edge.say(f"{more} more by {told_by.value} are not measured")
    return ExitCode.FINE


def _case(edge: "Edge") -> "tuple[Case, list[Finding]]":
    """All decisions, joined, with what is set of their metrics; what was found."""
    from analyzer.oversight.measure import Case
    from analyzer.oversight.policy import load_policy
    from analyzer.oversight.read import read_joined
    from analyzer.oversight.report import read_prices
    from analyzer.oversight.settings import OversightSettings
    from retrospan.sampling_note import tell_sampling
    from store import read
    from store.decision_log import check_log

    configured = edge.settings()
    settings = configured.fill("governance", OversightSettings)
    base = configured.source.parent if configured.source is not None else Path()
    prices = read_prices(base / settings.prices) if settings.prices else {}
    policies = [load_policy(base / name) for name in settings.policies]
    with edge.reading("measuring decisions") as session:
        decisions, flows = read_joined(session)
        log = check_log(session)
        counts = read.counts(session)
        findings = read.read_findings(session)
        tell_sampling(session)
    case = Case(
        decisions=decisions,
        flows=flows,
        data_end_ns=counts.data_end_ns or 0,
        settings=settings,
        prices=prices,
        policies=policies,
        log=log,
    )
    return case, findings


def _of(row: Row) -> str:
    chosen = row["filter"]
    assert isinstance(chosen, dict)
    return ", ".join(map(str, chosen.values())) or "all"
