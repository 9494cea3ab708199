"""`retrospan governance backtest`: what another policy would have said."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import ExitCode, edge_of
from retrospan.listing import AsJson, Format, FormatOption, Listing, Row, field, show

if TYPE_CHECKING:
    from retrospan.edge import Edge

CHANGE_COLUMNS = (
    field("decision", "decision_id"),
    field("flow", "flow_id"),
    field("gate said", "recorded"),
    field("policy says", "answered"),
    field("carried out", "acted"),
    field("reviewed", "reviewed"),
)
PolicyFile = Annotated[
    Path, typer.Option(metavar="FILE", help="A policy: YAML with CEL conditions, or .rego.")
]
RegoRule = Annotated[
    str | None, typer.Option(metavar="RULE", help="The Rego rule, as data.risk.outcome.")
]
CHANGE_CELLS = ("decision_id", "flow_id", "recorded", "answered", "acted", "reviewed")


def ask_policy(
    context: typer.Context,
    policy: PolicyFile,
    rule: RegoRule = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Ask another policy of all recorded decisions: which answers change, and in which flows."""
    from analyzer.oversight.asked import asked
    from analyzer.oversight.backtest import backtest
    from analyzer.oversight.policy import facts_of
    from analyzer.oversight.read import read_joined
    from retrospan.oversight_documents import backtest_document

    edge = edge_of(context)
    with edge.reading("testing a policy") as session:
        decisions, _ = read_joined(session)
    found = asked(policy, rule, [facts_of(it) for it in decisions])
    document = backtest_document(
        backtest(decisions, found.answers),
        {"id": found.policy_id, "version": found.version, "sha256": found.sha256},
    )
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
