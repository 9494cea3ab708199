"""`retrospan sagas`: was every effect undone that had to be."""

from typing import Annotated

import typer

from retrospan.canonical import pretty
from retrospan.edge import edge_of, put, worst
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

app = typer.Typer(help="Sagas: was every effect undone.", no_args_is_help=True)

CELLS = ("flow_id", "saga_id", "name", "verdict")
RESIDUAL_CELLS = (
    "flow_id", "step", "callee", "resource", "amount", "currency", "external_ref",
    "idempotency_key",
)  # fmt: skip
RESIDUAL_COLUMNS = tuple(
    field(header, name, right=name == "amount")
    for header, name in zip(
        (
            "flow", "step", "callee", "resource", "amount", "currency", "external reference",
            "idempotency key",
        ),
        RESIDUAL_CELLS,
        strict=True,
    )
)  # fmt: skip


def _worst_checks(row: Row) -> str:
    """The checks that gave the saga its verdict; a good one needs no reason."""
    checks = row["checks"]
    assert isinstance(checks, list)
    if row["verdict"] in ("pass", "not_applicable"):
        return "–"
    said = [
        f"{check['check']}: {check['message']}"
        for check in checks
        if isinstance(check, dict) and check["verdict"] == row["verdict"]
    ]
    return "; ".join(said)


def _residuals(row: Row) -> int:
    effects = row["residual_effects"]
    return len(effects) if isinstance(effects, list) else 0


COLUMNS = (
    field("flow", "flow_id"),
    field("saga", "saga_id"),
    field("name", "name"),
    field("verdict", "verdict"),
    Column(header="left standing (n)", show=_residuals, right=True),
    Column(header="because", show=_worst_checks),
)


@app.command("list")
def list_sagas(
    context: typer.Context,
    residual: Annotated[
        bool, typer.Option("--residual", help="One row per effect left standing.")
    ] = False,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """List saga verdicts; exit code 3 when one that matches is a violation, shown or not."""
    from retrospan.documents import residual_row, saga_row
    from retrospan.selection import Options, choose
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.reading("listing sagas") as session:
        chosen = choose(session, options, CELLS)
        flow_ids = chosen.flow_ids(session)
        sagas = read.read_sagas(session, flow_ids, chosen.rows_read)
        violations, _ = read.count_violations(session, flow_ids)
    matching = chosen.matching([saga_row(saga) for saga in sagas])
    rows = matching[:limit]
    kept = {(row["flow_id"], row["saga_id"]) for row in rows}
    effects = [
        {"flow_id": saga.flow_id, **residual_row(effect)}
        for saga in sagas
        if (saga.flow_id, saga.saga_id) in kept
        for effect in saga.residual_effects
    ]
    show(
        Listing(
            document={"schema": "retrospan.sagas/1", "sagas": list(map(dict, rows))},
            rows=effects if residual else rows,
            columns=RESIDUAL_COLUMNS if residual else COLUMNS,
            cells=RESIDUAL_CELLS if residual else CELLS,
            empty="no effect is left standing" if residual else "no saga matches",
        ),
        form,
        as_json,
    )
    chosen.say_more(edge, matching)
    return worst(violation=chosen.has_violation(matching, violations))


@app.command("summary")
def summarise_sagas(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    as_json: AsJson = False,
) -> int:
    """Count verdicts, shares undone, times, paths and money; exit code 3 on a violation."""
    from retrospan.saga_summary import found_violation, summarised, tables
    from retrospan.sampling_note import tell_sampling
    from retrospan.selection import Options, choose

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=1
    )
    with edge.reading("summing up sagas") as session:
        chosen = choose(session, options, ())
        flow_ids = chosen.flow_ids(session)
        document = summarised(session, flow_ids)
        tell_sampling(session, flow_ids)
    if as_json:
        put([pretty(document)])
        return worst(violation=found_violation(document))
    put([f"{document['sagas']} of {document['flows']} flows have a step with a saga role."])
    for title, listing in tables(document):
        put(["", title if listing.rows else f"{title}: {listing.empty}"])
        if listing.rows:
            show(listing, Format.TABLE, False)
    return worst(violation=found_violation(document))
