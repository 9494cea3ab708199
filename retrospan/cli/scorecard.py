"""`retrospan scorecard`: how fast, how sound, how soon well again, how well governed, how dear."""

from pathlib import Path
from typing import Annotated

import typer

from analyzer.scorecard.grouping import By
from retrospan.edge import Edge, ExitCode, edge_of, put
from retrospan.listing import AsJson, Format, FormatOption, Listing, Since, Until, show


def command(
    context: typer.Context,
    by: Annotated[By, typer.Option(help="A card for each of these, beside that of all.")] = By.ALL,
    cost: Annotated[
        bool, typer.Option("--cost", help="What AI decisions cost, instead of metrics.")
    ] = False,
    prices: Annotated[
        Path | None,
        typer.Option(help="Price file of tokens; else `prices` in [slo] of the configuration."),
    ] = None,
    since: Since = None,
    until: Until = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Reliability, recovery, governance, integrity and cost, each number with its count and
    interval."""
    from analyzer.cost.prices import NO_PRICES, read_prices
    from analyzer.releases.settings import ReleaseSettings
    from analyzer.scorecard.card import scorecard
    from analyzer.scorecard.settings import owners_of
    from retrospan import scorecards
    from retrospan.slo_files import price_file, slos_of
    from retrospan.timespan import parse_moment
    from store import read

    edge = edge_of(context)
    settings = edge.settings()
    owners = owners_of(_declared(edge), slos_of(settings))
    file = prices or price_file(settings)
    known = NO_PRICES if file is None else read_prices(file)
    with edge.reading("filling in the scorecard") as session:
        counts = read.counts(session)
        end = counts.data_end_ns
        start = counts.data_start_ns or 0
        found = scorecard(
            session,
            by,
            start if since is None else parse_moment(since, end, "--since"),
            (end or 0) + 1 if until is None else parse_moment(until, end, "--until"),
            owners,
            settings.fill("releases", ReleaseSettings),
            known,
        )
    rows = scorecards.cost_rows(found, known.currency) if cost else scorecards.metric_rows(found)
    show(
        Listing(
            document=scorecards.scorecard_document(found, by.value, known),
            rows=rows,
            columns=scorecards.COST_COLUMNS if cost else scorecards.METRIC_COLUMNS,
            cells=scorecards.COST_CELLS if cost else scorecards.METRIC_CELLS,
            empty="there is no flow",
        ),
        form,
        as_json,
    )
    if form is Format.TABLE and not as_json and not cost and found.blasts:
        put([""])
        blasts = Listing(
            document={},
            rows=scorecards.blast_rows(found),
            columns=scorecards.BLAST_COLUMNS,
            cells=(),
            empty="",
        )
        show(blasts, form, False)
    if cost and file is None:
        edge.say("no price file: only costs recorded with decisions are known (--prices FILE)")
    return ExitCode.FINE


def _declared(edge: Edge) -> dict[str, tuple[str, ...]]:
    """Services by team."""
    from retrospan.conforming import conformance_settings

    owners = conformance_settings(edge.settings()).owners
    return {team: tuple(services) for team, services in owners.items()}
