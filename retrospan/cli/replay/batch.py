"""`retrospan replay batch`: many flows, re-executed on all cores."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.cli.replay.cells import integer, rows
from retrospan.cli.replay.people import folded, suggest
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
from retrospan.timespan import utc

if TYPE_CHECKING:
    from retrospan.documents import Document


def _percent(header: str, count: str, whole: str) -> Column:
    def cell(row: Row) -> str | None:
        n = integer(row[whole])
        return f"{100 * integer(row[count]) / n:.1f}" if n else None

    return Column(header=header, show=cell, right=True)


def _interval(header: str, low: str, high: str) -> Column:
    def cell(row: Row) -> str:
        return f"{integer(row[low]) / 10_000:.1f}..{integer(row[high]) / 10_000:.1f}"

    return Column(header=header, show=cell, right=True)


CHANGE_CELLS = ("name", "version", "before", "after", "flows", "n", "low_ppm", "high_ppm")
CHANGE_COLUMNS = (
    field("flow kind", "name"),
    field("version", "version"),
    field("ended", "before"),
    field("ends", "after"),
    Column(header="flows", show=lambda row: f"{row['flows']} of {row['n']}", right=True),
    _percent("share (%)", "flows", "n"),
    _interval("95 % interval", "low_ppm", "high_ppm"),
)
BACKTEST_COLUMNS = (
    field("share of flows that", "what"),
    _percent("before (%)", "before", "before_n"),
    _percent("predicted (%)", "predicted", "predicted_n"),
    _percent("real (%)", "real", "real_n"),
    _interval("predicted minus real, 95 %", "difference_low_ppm", "difference_high_ppm"),
    field("agrees", "agrees"),
)


def run_batch(
    context: typer.Context,
    incident: Annotated[str | None, typer.Option(help="Only flows of this incident.")] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(
            help="A what-if file (YAML: `changes`, `answers`, `lost`, `version`); each flow's "
            "unchanged control runs first."
        ),
    ] = None,
    backtest: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help="Replay the other versions' flows as if this one had been out (or under the "
            "scenario), beside what really happened under it while both ran.",
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
    from replay.scenario import load_scenario
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
    if form is Format.TABLE and not as_json:
        if scenario is not None and load_scenario(scenario).feeds_back:
            suggest(edge, "replay", "population", "--scenario", str(scenario))
        else:
            suggest(edge, "replay", "programs")
    controls = document["controls"]
    assert isinstance(controls, dict)
    return worst(violation=bool(controls["diverged"]), bad_data=bool(controls["unreplayable"]))


def _show_batch(document: "Document", form: Format, as_json: bool) -> None:
    table = form is Format.TABLE and not as_json
    if table:
        put(folded(batch_lines(document)))
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
    if isinstance(compared, dict) and table:
        put(folded(backtest_lines(compared)))
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
    """The answer, then the facts above the table: what was run, what could not be judged."""
    controls, claims, compared = (document[name] for name in ("controls", "claims", "backtest"))
    assert isinstance(controls, dict)
    assert isinstance(claims, dict)
    whole, judged = integer(document["flows"]), integer(document["judged"])
    lines = [f"answer    {_answer(document, controls, whole, judged)}"]
    if isinstance(compared, dict):
        shares = rows(compared["shares"])
        agree = sum(bool(row["agrees"]) for row in shares)
        told = f"{agree} of {len(shares)} shares came as predicted"
        lines = [f"answer    {told if shares else 'none: nothing could be predicted'}"]
    if document["scenario"] is not None:
        lines.append(f"scenario  {visible(str(document['scenario']))}")
    lines.append(f"controls  {', '.join(f'{name} {n}' for name, n in controls.items() if n)}")
    if document["scenario"] is not None:
        lines.append(f"claims    {', '.join(f'{name} {n}' for name, n in claims.items() if n)}")
    for row in rows(document["not_judged"]):
        lines.append(f"no claim  {row['flows']}: {visible(str(row['reason']))}")
    return lines


def _answer(
    document: Mapping[str, object], controls: Mapping[str, int], whole: int, judged: int
) -> str:
    from replay.whatif import OR

    if document["scenario"] is None:
        same = controls["identical"] + controls["equivalent"]
        return f"{of(same, whole)} flows come out as recorded"
    if not judged:
        return f"none: no claim for any of {whole} flows"
    changes = rows(document["outcome_changes"])
    ends = [
        (str(row["before"]), str(row["after"]).split(OR), integer(row["flows"])) for row in changes
    ]
    other = sum(count for before, after, count in ends if before not in after)
    maybe = sum(count for before, after, count in ends if before in after and len(after) > 1)
    low, high = interval_ppm(other, judged)
    between = f"95 % interval {low / 10_000:.1f} to {high / 10_000:.1f} %"
    left = f"; no claim for {of(whole - judged, whole)}" if whole > judged else ""
    more = f"; {maybe} more might, by answers that other flows lend" if maybe else ""
    return f"{of(other, judged)} flows would end otherwise; {between}{more}{left}"


def backtest_lines(compared: Mapping[str, object]) -> list[str]:
    """What a back-test compares: how many flows, of which time, in which weather."""
    before, real = integer(compared["before"]), integer(compared["real"])
    predicted, claimed = integer(compared["predicted"]), integer(compared["claimed"])
    version, beside = visible(str(compared["version"])), compared["side_by_side"]
    if isinstance(beside, dict):
        first, last = utc(integer(beside["first_ns"])), utc(integer(beside["last_ns"]))
        begun = f"{first} to {last} UTC, while {visible(str(beside['beside']))} and {version} ran"
    else:
        begun = "at any time: both hardly ran side by side, so more than the change may differ"
    lines = [
        f"begun     {begun}",
        f"compared  {before} flows before, {predicted} of them as if {version} had been out "
        f"({claimed} with a claim, the others for all their doubts), {real} under {version}",
    ]
    failed, met = integer(compared["before_failed"]), integer(compared["real_failed"])
    lines.append(
        f"met       a failed answer: {of(failed, before)} flows before, {of(met, real)} of the "
        "real ones; where these differ, flows may differ for that and not for the change"
    )
    return lines
