"""`retrospan replay batch`: many flows, re-executed on all cores."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.cli.replay.cells import integer, rows
from retrospan.edge import edge_of, progress_line, put, worst
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
from retrospan.programs import interval_ppm
from retrospan.report.numbers import of
from retrospan.text import visible

if TYPE_CHECKING:
    from retrospan.documents import Document


def _part(count: str, whole: str) -> Column:
    def cell(row: Row) -> str:
        return of(integer(row[count]), integer(row[whole]))

    return Column(header=count, show=cell, right=True)


def _interval(low: str, high: str) -> Column:
    def cell(row: Row) -> str:
        return f"{integer(row[low]) / 10_000:.1f} to {integer(row[high]) / 10_000:.1f}"

    return Column(header="95 % interval (%)", show=cell, right=True)


CHANGE_CELLS = ("name", "version", "before", "after", "flows", "n", "low_ppm", "high_ppm")
CHANGE_COLUMNS = (
    field("flow kind", "name"),
    field("version", "version"),
    field("ended", "before"),
    field("ends", "after"),
    _part("flows", "n"),
    _interval("low_ppm", "high_ppm"),
)
BACKTEST_COLUMNS = (
    field("share of flows that", "what"),
    _part("before", "before_n"),
    _part("predicted", "predicted_n"),
    _part("real", "real_n"),
    Column(
        header="predicted minus real, 95 % interval (%)",
        show=_interval("difference_low_ppm", "difference_high_ppm").show,
        right=True,
    ),
    field("agrees", "agrees"),
)


def run_batch(
    context: typer.Context,
    incident: Annotated[str | None, typer.Option(help="Only flows of this incident.")] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="A what-if file; each flow's unchanged control runs first.")
    ] = None,
    backtest: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help="Replay the other versions' flows as if this one had been out (or under the "
            "scenario), beside what really happened under it.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as there are cores.")
    ] = None,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Re-execute many flows on all cores and count how they end then. Exit code 3 when a control
    diverged, 4 when a flow could not be replayed."""
    from retrospan.batch import Wanted, batch_document
    from retrospan.selection import Options

    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    edge = edge_of(context)
    document = batch_document(
        edge,
        Wanted(
            incident=incident, options=options, scenario=scenario, backtest=backtest,
            workers=workers,
        ),
        progress_line(edge),
    )  # fmt: skip
    _show_batch(document, form, as_json)
    controls = document["controls"]
    assert isinstance(controls, dict)
    return worst(violation=bool(controls["diverged"]), bad_data=bool(controls["unreplayable"]))


def _show_batch(document: "Document", form: Format, as_json: bool) -> None:
    if form is Format.TABLE and not as_json:
        put(batch_lines(document))
    show(
        Listing(
            document=document,
            rows=rows(document["outcome_changes"]),
            columns=CHANGE_COLUMNS,
            cells=CHANGE_CELLS,
            empty="no flow could be judged",
        ),
        form,
        as_json,
    )
    compared = document["backtest"]
    if isinstance(compared, dict) and form is Format.TABLE and not as_json:
        failed = of(integer(compared["before_failed"]), integer(compared["before"]))
        real = of(integer(compared["real_failed"]), integer(compared["real"]))
        put(
            [
                f"met       a failed answer: {failed} flows before, {real} of the real ones; where "
                "these differ, flows may differ for that and not for the change"
            ]
        )
        show(
            Listing(
                document=compared,
                rows=rows(compared["shares"]),
                columns=BACKTEST_COLUMNS,
                cells=(),
                empty="nothing to compare",
            ),
            Format.TABLE,
            False,
        )


def batch_lines(document: Mapping[str, object]) -> list[str]:
    """The facts above the table: what was run, and what could not be judged."""
    controls, claims = document["controls"], document["claims"]
    assert isinstance(controls, dict)
    assert isinstance(claims, dict)
    whole = integer(document["flows"])
    lines = [f"controls  {', '.join(f'{name} {n}' for name, n in controls.items() if n)}"]
    if document["scenario"] is not None:
        lines = [f"scenario  {visible(str(document['scenario']))}", *lines]
        lines.append(f"claims    {', '.join(f'{name} {n}' for name, n in claims.items() if n)}")
    judged = integer(document["judged"])
    lines.append(f"judged    {of(judged, whole)} flows")
    if document["scenario"] is not None and judged:
        changes = rows(document["outcome_changes"])
        other = sum(integer(row["flows"]) for row in changes if row["before"] != row["after"])
        low, high = interval_ppm(other, judged)
        between = f"{low / 10_000:.1f} to {high / 10_000:.1f} %"
        lines.append(
            f"otherwise {of(other, judged)} of these end otherwise; 95 % interval {between}"
        )
    for row in rows(document["not_judged"]):
        lines.append(f"not       {row['flows']}: {visible(str(row['reason']))}")
    return lines
