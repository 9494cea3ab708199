"""`retrospan slo`: how good the flows were, how much budget is left, who spent it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retrospan.edge import Edge, ExitCode, edge_of, worst
from retrospan.listing import AsJson, Column, Format, FormatOption, Listing, Row, field, show

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


def _share(name: str) -> Column:
    return Column(header=name.replace("_", " "), show=lambda row: _percent(row[name]), right=True)


def _percent(value: object) -> str | None:
    return f"{value:.2%}" if isinstance(value, float | int) else None


def _valid(row: Row) -> str:
    if row["sli"] is None and row["valid"] is None:
        return "–"
    unknown = f", {row['unknown']} unknown" if row["unknown"] else ""
    return f"{row['good']:g} of {row['valid']:g}{unknown}"


def _alerts(row: Row) -> str:
    alerts: Any = row["alerts"]
    said = [
        f"{it['severity']} {it['state']} ({it['long_window']}/{it['short_window']})"
        for it in alerts
        if it["state"] not in {"ok", "no_data"}
    ]
    return "; ".join(said) or ("no data" if row["sli"] is None else "ok")


def _worst_cause(row: Row) -> str:
    """The cause that spent most and is rarer among good flows."""
    causes: Any = row["ledger"]
    telling = [it for it in causes if (it["share_of_good"] or 0) < it["spent"]]
    if not telling:
        return str(row["reason"] or "–")
    top = max(telling, key=lambda it: (it["spent"] - (it["share_of_good"] or 0), it["cause"]))
    return f"{top['dimension']} {top['cause']}: {top['spent']:.0%} of what was spent"


COLUMNS = (
    field("slo", "name"),
    field("objective", "objective"),
    _share("target"),
    _share("sli"),
    Column(header="good of valid", show=_valid, right=True),
    _share("coverage"),
    _share("budget_remaining"),
    Column(header="alerts", show=_alerts),
    Column(header="most telling cause", show=_worst_cause),
)
CELLS = (
    "name", "service", "objective", "target", "sli", "sli_low", "sli_high", "good", "valid",
    "flows", "unknown", "open", "coverage", "budget_remaining", "minutes_to_exhaustion", "reason",
)  # fmt: skip
LEDGER_CELLS = (
    "slo", "objective", "dimension", "cause", "bad_flows", "spent", "share_of_good",
    "budget_remaining_without", "flow_ids",
)  # fmt: skip
LEDGER_COLUMNS = (
    field("slo", "slo"),
    field("by", "dimension"),
    field("cause", "cause"),
    field("bad flows (n)", "bad_flows", right=True),
    _share("spent"),
    _share("share_of_good"),
    _share("budget_remaining_without"),
)


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
    from retrospan.objectives import report_document, report_row

    edge = edge_of(context)
    slos = _slos(edge, files)
    with edge.lease("reporting SLOs") as session:
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
            columns=LEDGER_COLUMNS if ledger else COLUMNS,
            cells=LEDGER_CELLS if ledger else CELLS,
            empty="no budget was spent" if ledger else "no SLO in these files",
        ),
        form,
        as_json,
    )
    remaining = [found.budget_remaining for found in reports]
    return worst(violation=any(left is not None and left < 0 for left in remaining))


HISTORY_COLUMNS = (
    field("slo", "name"),
    field("severity", "severity"),
    Column(header="windows", show=lambda row: f"{row['long_window']}/{row['short_window']}"),
    field("threshold", "threshold", right=True),
    Column(header="fired", show=lambda row: _time(row["fired_ns"])),
    Column(header="resolved", show=lambda row: _time(row["resolved_ns"])),
    Column(header="after first bad", show=lambda row: _seconds(row["delay_ns"]), right=True),
    field("bad before (n)", "bad_before", right=True),
    _share("budget_spent"),
)
HISTORY_CELLS = (
    "name", "objective", "severity", "threshold", "long_window", "short_window", "fired_ns",
    "resolved_ns", "first_bad_ns", "delay_ns", "bad_before", "budget_spent", "runbook",
)  # fmt: skip


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

    edge = edge_of(context)
    slos = [slo for slo in _slos(edge, files) if slo.good is not None]
    with edge.lease("testing alerts") as session:
        flows = read_facts(session)
    document = backtest_document(
        [
            (slo, objective, tested(slo, objective, timeline(slo, flows)))
            for slo in slos
            for objective in slo.objectives
        ]
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
    return ExitCode.FINE


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
    from analyzer.slo.openslo import read_slos
    from analyzer.slo.settings import SloSettings
    from store.errors import UsageError

    settings = edge.settings()
    found = list(files or ()) or [
        (settings.source or Path()).parent / name
        for name in settings.fill("slo", SloSettings).files
    ]
    if not found:
        raise UsageError('name OpenSLO files, or list them: [slo] files = ["slos"]')
    return read_slos(found)


def _moment(session: Any, at: str | None) -> int:
    from retrospan.timespan import parse_moment
    from store import read

    end_ns = read.counts(session).data_end_ns
    return (end_ns or 0) + 1 if at is None else parse_moment(at, end_ns, "--at")


def _time(value: Any) -> str | None:
    from retrospan.timespan import utc

    return None if value is None else utc(value)


def _seconds(value: Any) -> str:
    return f"{value / 1e9:.1f} s"
