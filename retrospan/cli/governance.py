"""`retrospan governance`: what decisions were allowed to do, and what another policy would say."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import ExitCode, edge_of, put, worst
from retrospan.listing import (
    AsJson,
    Column,
    Format,
    FormatOption,
    Listing,
    Row,
    field,
    show,
)
from retrospan.output import write_text
from retrospan.oversight_documents import value_text

if TYPE_CHECKING:
    from analyzer.oversight.measure import Case
    from retrospan.edge import Edge

app = typer.Typer(help="Governance of decisions: metrics and policies.", no_args_is_help=True)


class Told(StrEnum):
    """What decisions are told apart by."""

    MODEL = "model"
    POLICY = "policy"
    ARM = "arm"
    FLOW = "flow"


class Reader(StrEnum):
    """Whom a document is written for."""

    RISK = "risk"


def _value(name: str) -> Column:
    return Column(header=name, show=lambda row: value_text(row["unit"], row[name]), right=True)


COLUMNS = (
    Column(header="of", show=lambda row: _of(row)),
    field("metric", "metric"),
    _value("value"),
    _value("low"),
    _value("high"),
    field("n", "n", right=True),
    field("unknown", "unknown", right=True),
    field("status", "status"),
    field("note", "note"),
)
CELLS = ("filter", "metric", "unit", "value", "low", "high", "n", "unknown", "status", "note")
CHANGE_COLUMNS = (
    field("decision", "decision_id"),
    field("flow", "flow_id"),
    field("gate said", "recorded"),
    field("policy says", "answered"),
    field("carried out", "acted"),
    field("reviewed", "reviewed"),
)
CHANGE_CELLS = ("decision_id", "flow_id", "recorded", "answered", "acted", "reviewed")

FAILED_COLUMNS = (
    field("decision", "decision_id"),
    field("expected", "expected"),
    field("policy says", "answered"),
)
FAILED_CELLS = ("decision_id", "expected", "answered")


@app.command("report")
def report(
    context: typer.Context,
    by: Annotated[
        Told | None, typer.Option(help="One set of metrics per model, policy, arm or flow kind.")
    ] = None,
    reader: Annotated[
        Reader | None, typer.Option("--for", help="Write a document for these readers.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the document here.")
    ] = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Measure decisions, each metric with n, interval and what is unknown. Judges nothing."""
    from analyzer.oversight.report import SLICES_MAX, By, measured, slice_count
    from retrospan.oversight_documents import governance_document, metric_row, risk_report
    from store.errors import UsageError

    if reader is not None and by is not None:
        raise UsageError("--for writes of all decisions: leave --by out")
    if out is not None and reader is None:
        raise UsageError("-o needs --for risk: whom the document is for")
    edge = edge_of(context)
    case = _case(edge)
    told_by = None if by is None else By(by.value)
    found = measured(case, told_by)
    if reader is not None:
        root_hash = case.log.root_hash.hex() if case.log is not None and case.log.leaves else None
        text = risk_report([it.measure for it in found], len(case.decisions), root_hash)
        if out is None:
            put([text.rstrip("\n")])
            return ExitCode.FINE
        write_text(out, text)
        if not as_json:
            put([str(out)])
            return ExitCode.FINE
    rows = [metric_row(it) for it in found]
    show(
        Listing(
            document=governance_document(rows, len(case.decisions)),
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="no decision is recorded",
        ),
        form,
        as_json,
    )
    if told_by is not None and (more := slice_count(case, told_by) - SLICES_MAX) > 0:
        edge.say(f"{more} more by {told_by.value} are not measured")
    return ExitCode.FINE


@app.command("backtest")
def backtest(
    context: typer.Context,
    policy: Annotated[
        Path, typer.Option(metavar="FILE", help="A policy: YAML with CEL conditions, or .rego.")
    ],
    rule: Annotated[
        str | None, typer.Option(metavar="RULE", help="The Rego rule, as data.risk.outcome.")
    ] = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Ask another policy of all recorded decisions: which answers change, and in which flows."""
    from analyzer.oversight.backtest import backtest as compared
    from analyzer.oversight.policy import facts_of, load_policy
    from analyzer.oversight.read import read_joined
    from analyzer.oversight.rego import rego_outcomes
    from retrospan.documents import Document
    from retrospan.oversight_documents import backtest_document
    from store.errors import UsageError

    edge = edge_of(context)
    is_rego = policy.suffix == ".rego"
    if is_rego != (rule is not None):
        raise UsageError("--rule names the rule of a .rego file, and a .rego file needs it")
    loaded = None if is_rego else load_policy(policy)
    with edge.lease("testing a policy") as session:
        decisions, _ = read_joined(session)
    facts = [facts_of(it) for it in decisions]
    if loaded is not None:
        answers = [loaded.outcome(one) for one in facts]
        about: Document = {
            "id": loaded.policy_id, "version": loaded.version, "sha256": loaded.sha256,
        }  # fmt: skip
    else:
        assert rule is not None
        answers = rego_outcomes(policy, rule, facts)
        about = {"id": rule, "version": None, "sha256": None}
    document = backtest_document(compared(decisions, answers), about)
    changes = document["changes"]
    assert isinstance(changes, list)
    rows: list[Row] = [change for change in changes if isinstance(change, dict)]
    show(
        Listing(
            document=document,
            rows=rows,
            columns=CHANGE_COLUMNS,
            cells=CHANGE_CELLS,
            empty="no answer would change",
        ),
        form,
        as_json,
    )
    _say(edge, document)
    return ExitCode.FINE


@app.command("cases")
def cases(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Write them here.")],
) -> int:
    """Write recorded decisions as test cases of a policy: what was known, what the gate said."""
    from analyzer.oversight.cases import cases_of, lines_of
    from analyzer.oversight.read import read_joined

    edge = edge_of(context)
    with edge.lease("writing policy cases") as session:
        decisions, _ = read_joined(session)
    found = cases_of(decisions)
    write_text(out, "".join(f"{line}\n" for line in lines_of(found)))
    put([f"{out}: {len(found)} cases of {len(decisions)} decisions"])
    return ExitCode.FINE


@app.command("test")
def test(
    policy: Annotated[
        Path, typer.Option(metavar="FILE", help="A policy: YAML with CEL conditions.")
    ],
    recorded: Annotated[
        Path, typer.Option("--cases", metavar="FILE", help="What `governance cases` wrote.")
    ],
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Test a policy against recorded cases, without a store. Exit code 3 when one fails."""
    from analyzer.oversight.cases import failures, read_cases
    from analyzer.oversight.policy import load_policy
    from retrospan.documents import Document
    from store.errors import DataError

    loaded, known = load_policy(policy), read_cases(recorded)
    if not known:
        raise DataError(f"{recorded} holds no case, so nothing was tested")
    failed = failures(loaded, known)
    rows: list[Row] = [
        {"decision_id": it.decision_id, "expected": it.expected, "answered": it.answered}
        for it in failed
    ]
    document: Document = {
        "schema": "retrospan.governance_test/1",
        "policy": {"id": loaded.policy_id, "version": loaded.version, "sha256": loaded.sha256},
        "n": len(known),
        "failed": [dict(row) for row in rows],
    }
    show(
        Listing(
            document=document,
            rows=rows,
            columns=FAILED_COLUMNS,
            cells=FAILED_CELLS,
            empty=f"all {len(known)} cases pass",
        ),
        form,
        as_json,
    )
    return worst(violation=bool(failed))


def _case(edge: "Edge") -> "Case":
    """All decisions, joined, with what is set of their metrics."""
    from analyzer.oversight.measure import Case
    from analyzer.oversight.read import read_joined
    from analyzer.oversight.report import read_prices
    from analyzer.oversight.settings import OversightSettings
    from store import read
    from store.decision_log import check_log

    configured = edge.settings()
    settings = configured.fill("governance", OversightSettings)
    prices = {}
    if settings.prices:
        beside = Path(settings.prices)
        base = configured.source.parent if configured.source is not None else Path()
        prices = read_prices(base / beside)
    with edge.lease("measuring decisions") as session:
        decisions, flows = read_joined(session)
        log = check_log(session)
        counts = read.counts(session)
    return Case(
        decisions=decisions,
        flows=flows,
        data_end_ns=counts.data_end_ns or 0,
        settings=settings,
        prices=prices,
        log=log,
    )


def _of(row: Row) -> str:
    chosen = row["filter"]
    assert isinstance(chosen, dict)
    return ", ".join(map(str, chosen.values())) or "all"


def _say(edge: "Edge", document: Row) -> None:
    """The comparison in one line, on standard error."""
    low, high = document["share_low"], document["share_high"]
    if not isinstance(low, float) or not isinstance(high, float):
        edge.say("no decision is recorded")
        return
    share = f"{low * 100:.1f} %" if low == high else f"{low * 100:.1f} to {high * 100:.1f} %"
    flows = document["flows"]
    assert isinstance(flows, list)
    kind = "exact, by recomputation" if document["claim"] == "C2" else "some facts are unknown"
    edge.say(
        f"{document['changed']} of {document['n']} answers change ({share}; {kind}), "
        f"{document['unknown']} unknown; {len(flows)} flows touched. What those flows would have "
        "done then, a replay tells"
    )
