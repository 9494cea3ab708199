"""`retrospan replay`: recorded flows, re-executed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.code_options import (
    CodeOption,
    ExpectOption,
    ExploreOption,
    PythonOption,
    TemporalOption,
)
from retrospan.edge import Edge, edge_of, progress_line, put, tell, worst
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
from retrospan.mock_serving import serve_flows
from retrospan.report.numbers import of
from retrospan.text import visible
from retrospan.timespan import humane
from store.errors import UsageError

if TYPE_CHECKING:
    from retrospan.documents import Document
    from store.conclusions import ReplayResult

app = typer.Typer(help="Replays: recorded flows, re-executed.", no_args_is_help=True)
app.command("serve")(serve_flows)

CELLS = (
    "flow_id", "mode", "verdict", "digest", "outcome", "virtual_duration_ns", "claim", "flags",
)  # fmt: skip
PROGRAM_CELLS = (
    "name", "version", "offers", "flows", "identical", "equivalent", "diverged_flagged",
    "diverged_silent", "unreplayable", "reproduced_ppm", "reproduced_doubted",
    "end_width_median_ppm", "reproduced_wide",
)  # fmt: skip


def _duration(row: Row) -> str:
    value = row["virtual_duration_ns"]
    return humane(value if isinstance(value, int) else None)


def _first(row: Row) -> str | None:
    """How the replay first left the recording."""
    divergences = row["divergences"]
    if not isinstance(divergences, list) or not divergences:
        return None
    first = divergences[0]
    assert isinstance(first, dict)
    return f"{first['kind']} at {first['step_id']} {first['path']}".rstrip()


def _share(name: str) -> Column:
    def cell(row: Row) -> str | None:
        value = row[name]
        return f"{value // 10_000}.{value // 1_000 % 10}" if isinstance(value, int) else None

    return Column(
        header=f"{name.removesuffix('_ppm').replace('_', ' ')} (%)", show=cell, right=True
    )


COLUMNS = (
    field("flow", "flow_id"),
    field("verdict", "verdict"),
    field("ends", "outcome"),
    Column(header="virtual duration", show=_duration, right=True),
    field("claim", "claim"),
    Column(header="first divergence", show=_first),
    field("because", "reason"),
)
TEMPORAL_COLUMNS = (
    field("flow", "flow_id"),
    field("temporal's verdict", "temporal_verdict"),
    field("verdict", "verdict"),
    field("ends", "outcome"),
    Column(header="first divergence", show=_first),
    field("because", "reason"),
)
PROGRAM_COLUMNS = (
    field("flow kind", "name"),
    field("version", "version"),
    field("offers", "offers"),
    field("flows (n)", "flows", right=True),
    _share("reproduced_ppm"),
    field("times unknown (n)", "reproduced_wide", right=True),
    field("diverged, flagged (n)", "diverged_flagged", right=True),
    field("diverged, silent (n)", "diverged_silent", right=True),
    field("unreplayable (n)", "unreplayable", right=True),
    _share("end_width_median_ppm"),
)


def _part(count: str, whole: str) -> Column:
    def cell(row: Row) -> str:
        return of(_int(row[count]), _int(row[whole]))

    return Column(header=count, show=cell, right=True)


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _interval(low: str, high: str) -> Column:
    def cell(row: Row) -> str:
        return f"{_int(row[low]) / 10_000:.1f} to {_int(row[high]) / 10_000:.1f}"

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


def _measure(name: str) -> Column:
    def cell(row: Row) -> str:
        value = _int(row[name])
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


@app.command("run")
def run_replays(
    context: typer.Context,
    flow_ids: Annotated[
        list[str] | None, typer.Argument(metavar="FLOW_ID...", help="Flows to re-execute.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every flow of the store.")] = False,
    scenario: Annotated[
        Path | None, typer.Option(help="A what-if file; the unchanged control runs first.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each difference, and what it follows from.")
    ] = False,
    code: CodeOption = None,
    python: PythonOption = "python3",
    explore: ExploreOption = 0,
    expect: ExpectOption = None,
    temporal: TemporalOption = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Re-execute flows from their recordings and store the result. Exit code 3 when one diverged,
    4 when one could not be replayed."""
    if temporal is not None:
        if every or scenario is not None or code is not None or explore:
            raise UsageError("--temporal takes no --all, --scenario, --code or --explore")
        return _temporal(context, flow_ids or [], temporal, python, explain, form, as_json)
    if bool(flow_ids) == every:
        raise UsageError("replay run takes FLOW_ID... or --all, one of the two")
    from retrospan.code_replaying import Wanted, code_replayed
    from retrospan.documents import replay_row, replays_document
    from retrospan.replaying import replayed

    edge = edge_of(context)
    broken: list[str] = []
    if code is None:
        if expect or explore:
            raise UsageError("--expect and --explore need --code")
        results = replayed(edge, flow_ids or None, scenario, progress_line(edge))
    else:
        wanted = Wanted(
            code=code, python=python, explore=explore, scenario=scenario,
            expected=tuple(expect or ()),
        )  # fmt: skip
        results, broken = code_replayed(edge, flow_ids or None, wanted, progress_line(edge))
    if explain and form is Format.TABLE and not as_json:
        put(_explained(edge_of(context), results))
    else:
        show(
            Listing(
                document=replays_document(results),
                rows=[replay_row(result) for result in results],
                columns=COLUMNS,
                cells=CELLS,
                empty="the store holds no flow",
            ),
            form,
            as_json,
        )
    for line in broken:
        tell(f"expected {visible(line)}")
    judged = [result.control_verdict or result.verdict for result in results]
    violation = bool(broken) if expect else "diverged" in judged
    return worst(violation=violation, bad_data="unreplayable" in judged)


def _temporal(
    context: typer.Context,
    paths: "Sequence[str]",
    module: str,
    python: str,
    explain: bool,
    form: Format,
    as_json: bool,
) -> int:
    from retrospan.temporal_replaying import (
        temporal_document,
        temporal_lines,
        temporal_replayed,
        temporal_row,
    )

    results = temporal_replayed(paths, module, python, progress_line(edge_of(context)))
    if explain and form is Format.TABLE and not as_json:
        put(temporal_lines(results))
    else:
        show(
            Listing(
                document=temporal_document(results),
                rows=[temporal_row(one) for one in results],
                columns=TEMPORAL_COLUMNS,
                cells=(*CELLS, "temporal_verdict"),
                empty="no history",
            ),
            form,
            as_json,
        )
    verdicts = [one.result.verdict for one in results]
    return worst(violation="diverged" in verdicts, bad_data="unreplayable" in verdicts)


def _explained(edge: Edge, results: "Sequence[ReplayResult]") -> list[str]:
    from retrospan.divergences import explanation
    from store import read

    lines: list[str] = []
    with edge.lease("reading flows to explain") as session:
        for result in results:
            lines += [
                *([""] if lines else []),
                *explanation(read.read_flow(session, result.flow_id), result),
            ]
    return lines


@app.command("batch")
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
            rows=_rows(document["outcome_changes"]),
            columns=CHANGE_COLUMNS,
            cells=CHANGE_CELLS,
            empty="no flow could be judged",
        ),
        form,
        as_json,
    )
    compared = document["backtest"]
    if isinstance(compared, dict) and form is Format.TABLE and not as_json:
        put(
            [
                f"weather   {of(_int(compared['before_failed']), _int(compared['before']))} flows "
                "before met a failed answer, "
                f"{of(_int(compared['real_failed']), _int(compared['real']))} of the real ones"
            ]
        )
        show(
            Listing(
                document=compared,
                rows=_rows(compared["shares"]),
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
    whole = _int(document["flows"])
    lines = [f"controls  {', '.join(f'{name} {n}' for name, n in controls.items() if n)}"]
    if document["scenario"] is not None:
        lines = [f"scenario  {visible(str(document['scenario']))}", *lines]
        lines.append(f"claims    {', '.join(f'{name} {n}' for name, n in claims.items() if n)}")
    lines.append(f"judged    {of(_int(document['judged']), whole)} flows")
    for row in _rows(document["not_judged"]):
        lines.append(f"not       {row['flows']}: {visible(str(row['reason']))}")
    return lines


def _rows(value: object) -> list[Row]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


@app.command("population")
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
    for simulation in _rows(document["simulations"]):
        put(
            [
                f"scenario  {visible(str(document['scenario']))}",
                f"operation {visible(str(simulation['operation']))}",
                "claim     C4, qualitative: it shows where a storm begins, not its height",
            ]
        )
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


@app.command("flip")
def flip_flow(
    context: typer.Context,
    flow_id: Annotated[str, typer.Argument(metavar="ID", help="The flow's id.")],
    operation: Annotated[str, typer.Option(help="Whose setting: `SERVICE METHOD /path`.")],
    change: Annotated[
        str, typer.Option(help="What to change: timeout, attempts, threshold or latency.")
    ],
    as_json: AsJson = False,
) -> None:
    """Search for the smallest change of one setting after which a flow ends otherwise."""
    from retrospan.canonical import pretty
    from retrospan.flips import flip_document, flip_lines

    document = flip_document(edge_of(context), flow_id, operation, change)
    put([pretty(document)] if as_json else flip_lines(document))


@app.command("programs")
def list_programs(
    context: typer.Context, form: FormatOption = Format.TABLE, as_json: AsJson = False
) -> None:
    """Show what the inferred program of each flow kind reproduces of flows it never saw."""
    from replay.engine import replay_flows
    from replay.settings import ReplaySettings
    from retrospan.canonical import pretty
    from retrospan.programs import programs_document
    from store import read

    edge = edge_of(context)
    settings = edge.settings().fill("replay", ReplaySettings)
    with edge.lease("reading flows for their programs") as session:
        flows = read.read_flows(session)
        stored = read.read_replays(session)
    progress = progress_line(edge)
    controls = replay_flows(
        flows,
        [flow.flow_id for flow in flows],
        settings=settings,
        progress=lambda done, whole: progress(f"replayed {done} of {whole}"),
    )
    progress("")
    what_ifs = [result for result in stored if result.scenario is not None]
    document = programs_document(flows, controls, what_ifs, settings)
    if as_json:
        put([pretty(document)])
        return
    programs = document["programs"]
    assert isinstance(programs, list)
    show(
        Listing(
            document=document,
            rows=[row for row in programs if isinstance(row, dict)],
            columns=PROGRAM_COLUMNS,
            cells=PROGRAM_CELLS,
            empty="the store holds no flow",
        ),
        form,
        as_json,
    )
