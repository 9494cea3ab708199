"""`retrospan flows`: executions of business processes, rebuilt from spans."""

from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.contrasting import contrast_flows
from retrospan.edge import Edge, edge_of, put
from retrospan.listing import (
    LIMIT_DEFAULT,
    AsJson,
    Column,
    Format,
    FormatOption,
    Limit,
    Listing,
    Outcome,
    Row,
    Service,
    Since,
    Until,
    Where,
    field,
    show,
)
from retrospan.timespan import humane, utc

if TYPE_CHECKING:
    from retrospan.documents import Document
    from store.model import JsonValue

app = typer.Typer(help="Flows: what ran, and how it ended.", no_args_is_help=True)

CELLS = (
    "flow_id", "name", "outcome", "start_ns", "end_ns", "duration_ns", "trace_ids", "span_count",
    "step_count", "attempt_count", "decision_count", "compensation_count", "architecture",
    "variant", "replayability", "complete",
)  # fmt: skip


def _int(row: Row, name: str) -> int | None:
    value = row[name]
    return value if isinstance(value, int) else None


COLUMNS = (
    field("flow", "flow_id"),
    field("name", "name"),
    field("outcome", "outcome"),
    Column(header="start (UTC)", show=lambda row: utc(_int(row, "start_ns"))),
    Column(header="duration", show=lambda row: humane(_int(row, "duration_ns")), right=True),
    field("steps (n)", "step_count", right=True),
    field("attempts (n)", "attempt_count", right=True),
    field("decisions (n)", "decision_count", right=True),
    field("compensations (n)", "compensation_count", right=True),
    field("replayability", "replayability"),
    field("complete", "complete"),
)


@app.command("list")
def list_flows(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """List flows by start."""
    from retrospan.documents import flow_row
    from retrospan.selection import Options, choose, limited
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.reading("listing flows") as session:
        chosen = choose(session, options, CELLS)
        flows = read.read_flows(session, limited(chosen))
        underived = read.counts(session).underived_traces
    matching = chosen.matching([flow_row(flow) for flow in flows])
    rows = matching[:limit]
    warn_underived(edge, underived)
    chosen.say_more(edge, matching)
    show(
        Listing(
            document={"schema": "retrospan.flows/1", "flows": list(map(dict, rows))},
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="no flow matches; `retrospan ingest PATH` loads data",
        ),
        form,
        as_json,
    )


def warn_underived(edge: Edge, traces: int) -> None:
    """Data that came in and has not been made into flows yet takes no part in any answer."""
    if traces:
        edge.say(f"{traces} traces are stored and not yet part of a flow; run: retrospan ingest")


@app.command("show")
def show_flow(
    context: typer.Context,
    flow_id: Annotated[str, typer.Argument(metavar="ID", help="The flow's id.")],
    as_json: AsJson = False,
) -> None:
    """Show one flow: its steps, what the checks say, what is left standing."""
    from retrospan.canonical import pretty
    from retrospan.documents import flow_document
    from retrospan.flow_page import STEP_COLUMNS, clocks, head, judgement, step_rows
    from retrospan.workflow_events import event_lines, workflow_events
    from store import read

    edge = edge_of(context)
    with edge.reading("showing a flow") as session:
        flow = read.read_flow(session, flow_id)
        sagas = read.read_sagas(session, [flow.flow_id])
        findings = read.read_findings(session, [flow.flow_id])
        skew = read.read_clock_skew(session)
        events = workflow_events(session, flow)
    if flow.flow_id != flow_id:
        edge.say(f"{flow_id} is part of {flow.flow_id}")
    told: list[JsonValue] = [*events]
    document: Document = {**flow_document(flow), "workflow_events": told}
    if as_json:
        put([pretty(document)])
        return
    put([*head(flow), *clocks(flow, skew)])
    show(
        Listing(
            document=document,
            rows=step_rows(flow),
            columns=STEP_COLUMNS,
            cells=(),
            empty="no step recorded",
        ),
        Format.TABLE,
        False,
    )
    put([*event_lines(events, flow.start_ns), *judgement(sagas, findings)])


app.command("contrast")(contrast_flows)


VARIANT_CELLS = (
    "name", "variant", "flows", "flows_of_name", "share", "outcomes", "start_ns", "until_ns",
    "duration_ns", "example", "outline",
)  # fmt: skip
VARIANT_COLUMNS = (
    field("name", "name"),
    field("variant", "variant"),
    field("flows (n)", "flows", right=True),
    Column(header="share", show=lambda row: f"{row['share']:.1%}", right=True),
    Column(header="outcomes", show=lambda row: _outcomes(row)),
    Column(header="median", show=lambda row: humane(_int(row, "duration_ns")), right=True),
    field("example", "example"),
    field("what ran", "outline"),
)


def _outcomes(row: Row) -> str:
    counted = row["outcomes"]
    return (
        ", ".join(f"{n} {word}" for word, n in counted.items()) if isinstance(counted, dict) else ""
    )


@app.command("variants")
def list_variants(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """List the structures that flows have, with how many flows have each.

    Repeats and the order of parallel steps do not count; which steps ran and how they ended does.
    """
    from retrospan.flow_variants import variant_rows
    from retrospan.sampling_note import tell_sampling
    from retrospan.selection import Options, choose
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.reading("listing variants") as session:
        chosen = choose(session, options, VARIANT_CELLS)
        rows = variant_rows(session, chosen)
        tell_sampling(session, chosen.flow_ids(session))
        underived = read.counts(session).underived_traces
    warn_underived(edge, underived)
    show(
        Listing(
            document={"schema": "retrospan.flow_variants/1", "variants": list(map(dict, rows))},
            rows=rows,
            columns=VARIANT_COLUMNS,
            cells=VARIANT_CELLS,
            empty="no flow matches; `retrospan ingest PATH` loads data",
        ),
        form,
        as_json,
    )


@app.command("diff")
def diff_flows(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="The id of the flow to compare with.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The id of the flow that may differ.")],
    as_json: AsJson = False,
) -> None:
    """Compare two flows: steps added, removed, moved, changed; attempts, outcomes, times."""
    from analyzer.derive.diff import diff
    from retrospan.canonical import pretty
    from retrospan.flow_diff_page import DIFF_COLUMNS, diff_document, diff_head, diff_rows
    from store import read

    edge = edge_of(context)
    with edge.reading("comparing flows") as session:
        first, second = read.read_flow(session, a), read.read_flow(session, b)
    found = diff(first, second)
    document = diff_document(found)
    if as_json:
        put([pretty(document)])
        return
    put(diff_head(found))
    show(
        Listing(
            document=document,
            rows=diff_rows(found),
            columns=DIFF_COLUMNS,
            cells=(),
            empty="no step recorded in either",
        ),
        Format.TABLE,
        False,
    )
