"""`retrospan replay run`: named flows, re-executed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.cli.replay.people import folded, suggest
from retrospan.code_options import (
    AsNewOption,
    CodeOption,
    ExpectOption,
    ExploreOption,
    IsolateOption,
    PdbOption,
    PythonOption,
    TemporalOption,
)
from retrospan.edge import Edge, edge_of, progress_line, put, tell, worst
from retrospan.listing import AsJson, Column, Format, FormatOption, Listing, Row, field, show
from retrospan.text import visible
from retrospan.timespan import humane
from store.errors import UsageError

if TYPE_CHECKING:
    from retrospan.temporal_replaying import Wanted as WantedOfTemporal
    from store.conclusions import ReplayResult

CELLS = (
    "flow_id", "mode", "verdict", "digest", "outcome", "virtual_duration_ns", "claim", "flags",
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


def _why(row: Row) -> str | None:
    """The one thing to know of a row: why it claims nothing, else what first differs."""
    reason = str(row["reason"]).partition("; ")[0] or None
    if row["scenario"] is not None and row["claim"] is None:
        return reason
    return str(row["first"]) if row["first"] else reason


_MISUSED = "--as-new needs --temporal"
# So many named flows are told of at length; more make a table.
EXPLAINED_MAX = 3
COLUMNS = (
    field("flow", "flow_id"),
    field("verdict", "verdict"),
    field("ends", "outcome"),
    field("claim", "claim"),
    Column(header="lasts", show=_duration, right=True),
    Column(header="because", show=_why),
)
TEMPORAL_COLUMNS = (
    field("flow", "flow_id"),
    field("temporal's verdict", "temporal_verdict"),
    field("verdict", "verdict"),
    field("ends", "outcome"),
    Column(header="first divergence", show=_first),
    field("because", "reason"),
)
WHAT_IF_COLUMNS = (
    *TEMPORAL_COLUMNS[:4],
    Column(header="virtual duration", show=_duration, right=True),
    field("claim", "claim"),
    *TEMPORAL_COLUMNS[4:],
)


def run_replays(
    context: typer.Context,
    flow_ids: Annotated[
        list[str] | None, typer.Argument(metavar="FLOW_ID...", help="Flows to re-execute.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every flow of the store.")] = False,
    scenario: Annotated[
        Path | None,
        typer.Option(
            help="A what-if file (YAML: `changes`, `answers`, `lost`, `version`); the unchanged "
            "control runs first."
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Tell of each flow why, and each difference with what it follows from; of up to "
            "three named flows that is told anyway.",
        ),
    ] = False,
    code: CodeOption = None,
    python: PythonOption = "python3",
    explore: ExploreOption = 0,
    isolate: IsolateOption = True,
    pdb: PdbOption = False,
    expect: ExpectOption = None,
    temporal: TemporalOption = None,
    as_new: AsNewOption = False,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Re-execute flows from their recordings and store the result. Exit code 3 when one diverged,
    4 when one could not be replayed."""
    if temporal is not None:
        if every or code is not None or explore or pdb or not isolate:
            raise UsageError("--temporal takes no --all, --code, nor what goes with it")
        from retrospan.temporal_replaying import Wanted as WantedOfTemporal

        asked = WantedOfTemporal(module=temporal, python=python, scenario=scenario, as_new=as_new)
        return _temporal(context, flow_ids or [], asked, explain, form, as_json)
    if as_new or bool(flow_ids) == every:
        raise UsageError(_MISUSED if as_new else "replay run takes FLOW_ID... or --all, not both")
    from retrospan.code_replaying import Wanted, code_replayed
    from retrospan.replaying import replayed

    edge = edge_of(context)
    broken: list[str] = []
    if code is None:
        if expect or explore or pdb or not isolate:
            raise UsageError("--expect, --explore, --pdb and --no-isolate need --code")
        results = replayed(edge, flow_ids or None, scenario, progress_line(edge))
    else:
        wanted = Wanted(
            code=code, python=python, explore=explore, scenario=scenario,
            expected=tuple(expect or ()), isolate=isolate, debug=pdb,
        )  # fmt: skip
        results, broken = code_replayed(edge, flow_ids or None, wanted, progress_line(edge))
    explained = explain or (not every and len(results) <= EXPLAINED_MAX)
    _show(edge, results, explained, form, as_json)
    if form is Format.TABLE and not as_json:
        _suggest(edge, results, scenario)
    for line in broken:
        tell(f"expected {visible(line)}")
    judged = [result.control_verdict or result.verdict for result in results]
    violation = bool(broken) if expect else "diverged" in judged
    return worst(violation=violation, bad_data="unreplayable" in judged)


def _show(
    edge: Edge, results: "Sequence[ReplayResult]", explain: bool, form: Format, as_json: bool
) -> None:
    from retrospan.documents import replay_row, replays_document

    table = form is Format.TABLE and not as_json
    if explain and table:
        put(folded(_explained(edge, results)))
        return
    firsts = _firsts(edge, results) if table else {}
    rows = [{**replay_row(result), "first": firsts.get(result.flow_id)} for result in results]
    show(
        Listing(
            document=replays_document(results),
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="the store holds no flow",
        ),
        form,
        as_json,
    )


def _suggest(edge: Edge, results: "Sequence[ReplayResult]", scenario: Path | None) -> None:
    """What to ask next: why a flow is not reproduced, or whether what helps one helps all."""
    from replay.scenario import load_scenario

    worst_of = {result.control_verdict or result.verdict: result.flow_id for result in results}
    if "unreplayable" in worst_of:
        where = f"flow_id={worst_of['unreplayable']}"
        suggest(edge, "recordings", "list", "--where", where)
    elif "diverged" in worst_of:
        suggest(edge, "flows", "show", worst_of["diverged"])
    elif scenario is not None and results and results[0].mode == "trace":
        how = "population" if load_scenario(scenario).acts_on_all else "batch"
        suggest(edge, "replay", how, "--scenario", str(scenario))
    elif results and results[0].mode == "trace":
        suggest(edge, "replay", "run", results[0].flow_id, "--scenario", "FILE")


def _temporal(
    context: typer.Context,
    names: "Sequence[str]",
    wanted: "WantedOfTemporal",
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

    edge = edge_of(context)
    results = temporal_replayed(edge, names, wanted, progress_line(edge))
    if explain and form is Format.TABLE and not as_json:
        put(folded(temporal_lines(results)))
    else:
        show(
            Listing(
                document=temporal_document(results),
                rows=[temporal_row(one) for one in results],
                columns=TEMPORAL_COLUMNS if wanted.scenario is None else WHAT_IF_COLUMNS,
                cells=(*CELLS, "temporal_verdict"),
                empty="no history",
            ),
            form,
            as_json,
        )
    verdicts = [one.result.control_verdict or one.result.verdict for one in results]
    return worst(violation="diverged" in verdicts, bad_data="unreplayable" in verdicts)


def _firsts(edge: Edge, results: "Sequence[ReplayResult]") -> dict[str, str | None]:
    """How each replay first left its recording, by flow."""
    from retrospan.divergences import first_of
    from store import read

    left = {result.flow_id: result for result in results if result.divergences}
    with edge.reading("reading flows that diverged") as session:
        flows = read.read_flows(session, read.FlowSelection(flow_ids=sorted(left)))
    return {flow.flow_id: first_of(flow, left[flow.flow_id]) for flow in flows}


def _explained(edge: Edge, results: "Sequence[ReplayResult]") -> list[str]:
    from retrospan.divergences import explanation
    from store import read

    lines: list[str] = []
    with edge.reading("reading flows to explain") as session:
        for result in results:
            lines += [
                *([""] if lines else []),
                *explanation(read.read_flow(session, result.flow_id), result),
            ]
    return lines
