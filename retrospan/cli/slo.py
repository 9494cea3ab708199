"""`retrospan slo`: how good the flows were, how much budget is left, who spent it."""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retrospan.canonical import pretty
from retrospan.edge import Edge, ExitCode, edge_of, put, tell, worst
from retrospan.listing import AsJson, Format, FormatOption, Listing, Row, field, show
from retrospan.objective_tables import (
    HISTORY_CELLS,
    HISTORY_COLUMNS,
    LEDGER_CELLS,
    LEDGER_COLUMNS,
    REPORT_CELLS,
    REPORT_COLUMNS,
)

if TYPE_CHECKING:
    from analyzer.slo.model import Slo

app = typer.Typer(help="Service level objectives over flows.", no_args_is_help=True)

Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="OpenSLO files or folders; else `files` in [slo] of the configuration.",
    ),
]
At = Annotated[
    str | None,
    typer.Option(help="Seen at this time: RFC 3339, or `2h` before the end of the data."),
]


@app.command("report")
def report(
    context: typer.Context,
    files: Files = None,
    at: At = None,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="One row per cause of spending instead.")
    ] = False,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """SLIs, budgets, burn rates and alerts. Exit code 3 when a budget is overspent."""
    from analyzer.slo.evaluate import read_facts
    from analyzer.slo.evaluate import report as evaluated
    from retrospan.objectives import BURNING, alert_line, report_document, report_row

    edge = edge_of(context)
    slos = _slos(edge, files)
    with edge.reading("reporting SLOs") as session:
        at_ns = _moment(session, at)
        flows = read_facts(session)
    reports = evaluated(slos, flows, at_ns)
    rows: list[Any] = [report_row(found) for found in reports]
    spendings: list[Any] = [
        {"slo": row["name"], "objective": row["objective"], **entry}
        for row in rows
        for entry in row["ledger"]
    ]
    show(
        Listing(
            document=report_document(reports, at_ns),
            rows=spendings if ledger else rows,
            columns=LEDGER_COLUMNS if ledger else REPORT_COLUMNS,
            cells=LEDGER_CELLS if ledger else REPORT_CELLS,
            empty="no budget was spent" if ledger else "no SLO in these files",
        ),
        form,
        as_json,
    )
    if form is Format.TABLE and not as_json:
        for found in reports:
            for state in found.alerts:
                if state.state in BURNING:
                    edge.say(alert_line(found, state))
    remaining = [found.budget_remaining for found in reports]
    return worst(violation=any(left is not None and left < 0 for left in remaining))


@app.command("backtest")
def backtest(
    context: typer.Context,
    files: Files = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """When each alert would have fired over all recorded flows, and what was spent by then."""
    from analyzer.slo.backtest import backtest as tested
    from analyzer.slo.evaluate import read_facts
    from analyzer.slo.timeline import timeline
    from retrospan.objectives import backtest_document
    from store import read

    edge = edge_of(context)
    slos = [slo for slo in _slos(edge, files) if slo.good is not None]
    with edge.reading("testing alerts") as session:
        flows = read_facts(session)
        incidents = read.read_incidents(session)
    lines = [(slo, timeline(slo, flows)) for slo in slos]
    document = backtest_document(
        [
            (slo, objective, tested(slo, objective, line))
            for slo, line in lines
            for objective in slo.objectives
        ],
        incidents,
    )
    rules: Any = document["rules"]
    rows = [{**rule, **firing} for rule in rules for firing in rule["firings"]]
    show(
        Listing(
            document=document,
            rows=rows,
            columns=HISTORY_COLUMNS,
            cells=HISTORY_CELLS,
            empty=f"none of {len(rules)} alert rules would have fired",
        ),
        form,
        as_json,
    )
    if form is Format.TABLE and not as_json:
        _say_precision(edge, rules, len(incidents))
    return ExitCode.FINE


def _say_precision(edge: Edge, rules: Any, incidents: int) -> None:
    if not incidents:
        edge.say("no incident is declared: whether an alert was right cannot be told")
        return
    for rule in rules:
        n, found = rule["precision"]["n"], rule["recall"]
        right = f"{round(rule['precision']['value'] * n)} of {n} firings" if n else "no firing"
        met = round(found["value"] * found["n"])
        edge.say(
            f"{rule['name']}, {rule['severity']} {rule['long_window']}/{rule['short_window']}: "
            f"{right} in an incident, {met} of {found['n']} incidents told"
        )


@app.command("latency")
def latency(
    context: typer.Context,
    files: Files = None,
    within: Annotated[
        str | None,
        typer.Option(help="A limit such as `800ms` for the succeeded flows of each kind instead."),
    ] = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Share out the time limit of flows among the steps of their critical path: what each may
    take, takes, and could save."""
    from analyzer.facts import read_flow_facts
    from retrospan.latencies import CELLS, COLUMNS, budgets, latency_document, part_rows

    edge = edge_of(context)
    limit_ns = None if within is None else _limit(within)
    slos = () if within is not None else _slos(edge, files)
    with edge.reading("sharing out latency") as session:
        found = budgets(session, slos, limit_ns, read_flow_facts(session))
    document = latency_document(found)
    show(
        Listing(
            document=document,
            rows=part_rows(document),
            columns=COLUMNS,
            cells=CELLS,
            empty="no SLO of these files limits duration_ms; --within gives a limit",
        ),
        form,
        as_json,
    )
    if form is Format.TABLE and not as_json:
        for one in found:
            edge.say(one.said)
    return ExitCode.FINE


def _limit(text: str) -> int:
    from store.errors import UsageError

    shape = re.fullmatch(r"([1-9]\d{0,8})(ms|s|m|h)", text)
    if shape is None:
        raise UsageError(f"--within {text!r}: write a number and one of ms s m h, as in 800ms")
    return int(shape[1]) * {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}[shape[2]] * 1_000_000


class Target(StrEnum):
    """What SLOs are exported for."""

    PROMETHEUS = "prometheus"
    GRAFANA = "grafana"


@app.command("export")
def export(
    context: typer.Context,
    files: Files = None,
    to: Annotated[Target, typer.Option(help="Prometheus rules, or a Grafana dashboard.")] = (
        Target.PROMETHEUS
    ),
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write here instead of standard output.")
    ] = None,
) -> int:
    """Write SLOs as Prometheus rules or as a Grafana dashboard. What has no counterpart is named,
    the rest is written; exit code 4 then."""
    from analyzer.slo.export.grafana import dashboard
    from analyzer.slo.export.prometheus import rules
    from store.errors import DataError

    edge = edge_of(context)
    slos, refused = [], 0
    for slo in _slos(edge, files):
        try:
            rules([slo])
            slos.append(slo)
        except DataError as error:
            refused += 1
            tell(str(error))
    _write(out, _yaml(rules(slos)) if to is Target.PROMETHEUS else pretty(dashboard(slos)) + "\n")
    return ExitCode.BAD_DATA if refused else ExitCode.FINE


@app.command("convert")
def convert(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files of Sloth, Pyrra, slo-generator.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write here instead of standard output.")
    ] = None,
) -> int:
    """Write SLOs of other tools as OpenSLO. What has no counterpart is named; exit code 4 then."""
    from analyzer.slo.convert import convert as converted

    documents, refused = [], 0
    for path in files:
        for found in converted(path):
            for note in found.notes:
                tell(f"{found.place}: {found.name}: {note}")
            if found.document is None:
                refused += 1
                tell(f"{found.place}: {found.name} is not converted: {found.reason}")
            else:
                documents.append(found.document)
    _write(out, "---\n".join(_yaml(document) for document in documents))
    return ExitCode.BAD_DATA if refused else ExitCode.FINE


def _yaml(document: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(document, sort_keys=False, width=100, allow_unicode=False)
    return text


def _write(out: Path | None, text: str) -> None:
    from store.errors import UsageError

    if out is None:
        put([text.rstrip("\n")])
        return
    try:
        out.write_text(text)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror or error}") from None


@app.command("facts")
def facts(form: FormatOption = Format.TABLE, as_json: AsJson = False) -> int:
    """The facts of a flow that a predicate may name."""
    from analyzer.facts import FACTS

    rows: list[Row] = [
        {"name": it.name, "kind": it.kind, "meaning": it.meaning} for it in FACTS.values()
    ]
    show(
        Listing(
            document={"schema": "retrospan.slo_facts/1", "facts": list(map(dict, rows))},
            rows=rows,
            columns=(field("fact", "name"), field("kind", "kind"), field("meaning", "meaning")),
            cells=("name", "kind", "meaning"),
            empty="there are none",
        ),
        form,
        as_json,
    )
    return ExitCode.FINE


def _slos(edge: Edge, files: Sequence[Path] | None) -> "Sequence[Slo]":
    from retrospan.slo_files import slos_of
    from store.errors import UsageError

    settings = edge.settings()
    if not files and not settings.tables.get("slo", {}).get("files"):
        raise UsageError('name OpenSLO files, or list them: [slo] files = ["slos"]')
    return slos_of(settings, files or ())


def _moment(session: Any, at: str | None) -> int:
    from retrospan.timespan import parse_moment
    from store import read

    end_ns = read.counts(session).data_end_ns
    return (end_ns or 0) + 1 if at is None else parse_moment(at, end_ns, "--at")
