"""`retrospan findings`: what the detectors have to tell, and what they looked at."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

from retrospan.edge import Edge, edge_of, worst
from retrospan.listing import (
    LIMIT_DEFAULT,
    AsJson,
    Column,
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
from retrospan.runbooks import runbook

if TYPE_CHECKING:
    from retrospan.documents import Document
    from store.conclusions import Finding
    from store.population import PopulationState

app = typer.Typer(help="Findings: what the detectors have to tell.", no_args_is_help=True)

CELLS = (
    "finding_id", "detector", "scope", "severity", "verdict", "flow_id", "message", "remedy",
    "runbook",
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
COVERAGE_CELLS = ("detector", "scope", "verdict", "found", "message", "missing", "fresh", "runbook")
COVERAGE_COLUMNS = (
    field("detector", "detector"),
    field("verdict", "verdict"),
    field("found (n)", "found", right=True),
    Column(header="looked at", show=lambda row: _examined(row["examined"])),
    Column(header="could not see", show=lambda row: _missing(row["missing"])),
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
    """List findings, the gravest first; those of many flows only when no flow is selected. Exit
    code 3 on a violation."""
    from retrospan.selection import Options, choose
    from store import read
    from store.population import read_population_state

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.reading("listing findings") as session:
        chosen = choose(session, options, CELLS)
        flow_ids = chosen.flow_ids(session)
        findings = read.read_findings(session, flow_ids, gravest_first=True, limit=chosen.rows_read)
        _, violations = read.count_violations(session, flow_ids)
        state = read_population_state(session)
    matching = chosen.matching([_finding_row(finding) for finding in findings])
    rows = matching[:limit]
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
    chosen.say_more(edge, matching)
    _say_coverage(edge, state, narrow=chosen.narrow)
    return worst(violation=chosen.has_violation(matching, violations))


@app.command("coverage")
def list_coverage(
    context: typer.Context, form: FormatOption = Format.TABLE, as_json: AsJson = False
) -> int:
    """List what each detector looked at, and which data it lacked: no finding is not health."""
    from store import read
    from store.population import read_population_state

    edge = edge_of(context)
    with edge.reading("listing what was looked at") as session:
        flows = read.counts(session).flows
        findings = read.read_findings(session)
        state = read_population_state(session)
    rows = sorted(
        [*_of_flows(flows, findings), *_of_population(state)], key=lambda row: str(row["detector"])
    )
    show(
        Listing(
            document={"schema": "retrospan.findings_coverage/1", "detectors": list(rows)},
            rows=rows,
            columns=COVERAGE_COLUMNS,
            cells=COVERAGE_CELLS,
            empty="no detector has looked at this store yet",
        ),
        form,
        as_json,
    )
    if state.stale:
        edge.say("data came in since; the next ingest judges it")
    return worst(violation=False)


def _finding_row(finding: "Finding") -> "Document":
    from retrospan.documents import finding_row

    return {**finding_row(finding), "runbook": runbook(finding.detector)}


def _examined(counted: object) -> str:
    """What was looked at, with its counts."""
    assert isinstance(counted, dict)
    return ", ".join(f"{count} {what}" for what, count in counted.items())


def _missing(names: object) -> str | None:
    assert isinstance(names, list)
    return "; ".join(map(str, names)) or None


def _of_flows(flows: int, findings: Sequence["Finding"]) -> Iterable["Document"]:
    """What the detectors of single flows looked at: every flow there is."""
    from analyzer.detectors import flow_detectors
    from store.conclusions import Verdict

    worst_first = list(Verdict)
    for detector in flow_detectors():
        own = [finding for finding in findings if finding.detector == detector.name]
        fine = Verdict.PASS if flows else Verdict.NOT_APPLICABLE
        verdict = min((it.verdict for it in own), key=worst_first.index, default=fine)
        missing = Counter(
            str(name) for it in own if isinstance(names := it.facts.get("missing"), list)
            for name in names
        )  # fmt: skip
        yield {
            "detector": detector.name,
            "scope": "flow",
            "verdict": verdict.value,
            "found": len(own),
            "examined": {"flows": flows},
            "message": f"looked at {flows} flows; {len(own)} found",
            "missing": list(sorted(missing)),
            "fresh": True,
            "runbook": runbook(detector.name),
        }


def _of_population(state: "PopulationState") -> Iterable["Document"]:
    for finding, made_of in zip(state.coverage, state.made_of, strict=True):
        yield {
            "detector": finding.detector,
            "scope": "population",
            "verdict": finding.verdict.value,
            "found": finding.facts["found"],
            "examined": finding.facts["examined"],
            "message": finding.message,
            "missing": finding.facts["missing"],
            "fresh": made_of == state.generation,
            "runbook": runbook(finding.detector),
        }


def _say_coverage(edge: Edge, state: "PopulationState", *, narrow: bool) -> None:
    if narrow:
        edge.say("findings of many flows are left out, as flows were selected")
    elif not state.coverage:
        edge.say("checks of many flows have not run on this store; the next ingest runs them")
    elif state.stale:
        edge.say(
            "data came in since many flows were judged together: those findings are not shown, "
            "the next ingest makes them again"
        )
    else:
        blind = sum(it.verdict == "unknown" for it in state.coverage)
        edge.say(
            f"{len(state.coverage)} checks of many flows looked at this data, {blind} of them "
            "lacked some of what they need: retrospan findings coverage"
        )
