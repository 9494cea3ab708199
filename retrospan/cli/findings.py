"""`retrospan findings`: what the detectors have to tell."""

import typer

from retrospan.edge import edge_of, worst
from retrospan.listing import (
    LIMIT_DEFAULT,
    AsJson,
    Format,
    FormatOption,
    Limit,
    Listing,
    Outcome,
    Service,
    Since,
    Until,
    Where,
    field,
    show,
)

app = typer.Typer(help="Findings: what the detectors have to tell.", no_args_is_help=True)

CELLS = (
    "finding_id", "detector", "scope", "severity", "verdict", "flow_id", "message", "remedy",
)  # fmt: skip
COLUMNS = (
    field("severity", "severity"),
    field("detector", "detector"),
    field("verdict", "verdict"),
    field("scope", "scope"),
    field("flow", "flow_id"),
    field("message", "message"),
    field("remedy", "remedy"),
)


@app.command("list")
def list_findings(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """List findings; those of the population only when no flow is selected. Exit code 3 on a
    violation."""
    from retrospan.documents import finding_row
    from retrospan.selection import Options, choose
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.lease("listing findings") as session:
        chosen = choose(session, options, CELLS)
        findings = read.read_findings(session, chosen.flow_ids(session))
    rows = chosen.rows([finding_row(finding) for finding in findings])
    show(
        Listing(
            document={"schema": "retrospan.findings/1", "findings": list(map(dict, rows))},
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="no finding matches",
        ),
        form,
        as_json,
    )
    return worst(violation=any(row["verdict"] == "violation" for row in rows))
