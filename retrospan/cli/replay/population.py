"""`retrospan replay population`: all calls at once, where load feeds back."""

from pathlib import Path
from typing import Annotated

import typer

from retrospan.cli.replay.cells import integer, rows
from retrospan.cli.replay.people import folded
from retrospan.edge import edge_of, put
from retrospan.listing import AsJson, Column, Format, Listing, Row, show
from retrospan.text import visible
from retrospan.timespan import humane


def _measure(name: str) -> Column:
    def cell(row: Row) -> str:
        value = integer(row[name])
        return humane(value) if str(row["measure"]).endswith("_ns") else str(value)

    return Column(header=name, show=cell, right=True)


def _error(row: Row) -> str | None:
    value = row["error_ppm"]
    return f"{value / 10_000:+.1f}" if isinstance(value, int) else None


MEASURE_COLUMNS = (
    Column(
        header="of all calls",
        show=lambda row: str(row["measure"]).removesuffix("_ns").replace("_", " "),
    ),
    _measure("recorded"),
    _measure("simulated"),
    Column(header="calibration error (%)", show=_error, right=True),
    _measure("changed"),
)


def simulate_population(
    context: typer.Context,
    scenario: Annotated[Path, typer.Option(help="A what-if file with `changes`.")],
    as_json: AsJson = False,
) -> None:
    """Simulate all calls of the changed operations at once, where load feeds back: retries, queues,
    breakers, capacity. Qualitative; the error of simulating what was recorded stands beside it."""
    from retrospan.canonical import pretty
    from retrospan.populations import measure_rows, population_document

    document = population_document(edge_of(context), scenario)
    if as_json:
        put([pretty(document)])
        return
    for simulation in rows(document["simulations"]):
        put(folded(_head(str(document["scenario"]), simulation)))
        show(
            Listing(
                document=document,
                rows=measure_rows(dict(simulation)),
                columns=MEASURE_COLUMNS,
                cells=(),
                empty="nothing to simulate",
            ),
            Format.TABLE,
            False,
        )


def _head(scenario: str, simulation: Row) -> list[str]:
    recorded, simulated, changed = (
        simulation[name] for name in ("recorded", "simulated", "changed")
    )
    assert isinstance(recorded, dict)
    assert isinstance(simulated, dict)
    assert isinstance(changed, dict)
    would, same, did = (one["failed_calls"] for one in (changed, simulated, recorded))
    return [
        f"answer    of {changed['calls']} calls {would} would fail; unchanged the simulation has "
        f"{same} fail, and {did} did",
        f"scenario  {visible(scenario)}",
        f"operation {visible(str(simulation['operation']))}",
        "claim     C4, qualitative: it shows where a storm begins, not its height",
    ]
