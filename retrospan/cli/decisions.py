"""`retrospan decisions`: what models and rules chose."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.documents import DECISION_FIELDS
from retrospan.edge import ExitCode, edge_of, put, tell, worst
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
from retrospan.output import write_text

if TYPE_CHECKING:
    from retrospan.documents import Document
    from store.model import JsonValue

app = typer.Typer(help="Decisions: what models and rules chose.", no_args_is_help=True)

CELLS = (
    "decision_id", "time", "chosen", "confidence", "threshold", "flow_id", "trace_id", "span_id",
)  # fmt: skip


def _part(row: Row, name: str, *keys: str) -> str | None:
    """The parts of one nested field, as `fraud 3`."""
    value = row.get(name)
    if not isinstance(value, Mapping):
        return None
    return " ".join(str(value[key]) for key in keys if value.get(key) is not None) or None


def _given(header: str, name: str, *, right: bool = False) -> Column:
    return Column(header=header, show=lambda row: row.get(name), right=right)


COLUMNS = (
    _given("decision", "decision_id"),
    _given("time (UTC)", "time"),
    _given("chosen", "chosen"),
    _given("confidence", "confidence", right=True),
    _given("threshold", "threshold", right=True),
    Column(header="model", show=lambda row: _part(row, "model", "name", "version")),
    Column(header="policy", show=lambda row: _part(row, "policy", "id", "version")),
    Column(header="gate", show=lambda row: _part(row, "policy", "outcome")),
    _given("flow", "flow_id"),
)


@app.command("list")
def list_decisions(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """List decisions by time; --service and --outcome select by the flow they belong to."""
    from retrospan.documents import decision_row
    from retrospan.selection import Options, choose
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.lease("listing decisions") as session:
        chosen = choose(session, options, DECISION_FIELDS)
        decisions = read.read_decisions(session)
        flows = read.read_flows(session, chosen.flows) if chosen.narrow else None
    if flows is not None:
        ids = {decision_id for flow in flows for decision_id in flow.decision_ids}
        flow_ids = {flow.flow_id for flow in flows}
        decisions = [one for one in decisions if one.decision_id in ids or one.flow_id in flow_ids]
    rows = chosen.rows([decision_row(decision) for decision in decisions])
    show(
        Listing(
            document={"schema": "retrospan.decisions/1", "decisions": list(map(dict, rows))},
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="no decision matches",
        ),
        form,
        as_json,
    )


HOP_COLUMNS = (
    field("hop", "hop"),
    field("link", "link"),
    field("what it says", "said"),
    field("lacks", "lacks"),
)
HOP_CELLS = ("hop", "link", "said", "lacks")


@app.command("show")
def show_decision(
    context: typer.Context,
    decision_id: Annotated[str, typer.Argument(metavar="ID", help="A decision's id.")],
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Show one decision: where it came from, its gate, what was carried out, what is missing."""
    from analyzer.oversight.provenance import provenance
    from analyzer.oversight.read import read_one
    from retrospan.decision_documents import shown

    edge = edge_of(context)
    with edge.lease("showing a decision") as session:
        found = read_one(session, decision_id)
    document = shown(found, provenance(found))
    if not as_json and form is Format.TABLE:
        put(_described(document))
    hops = document["chain"]
    assert isinstance(hops, list)
    rows: list[Row] = [hop for hop in hops if isinstance(hop, dict)]
    show(
        Listing(document=document, rows=rows, columns=HOP_COLUMNS, cells=HOP_CELLS, empty="no hop"),
        form,
        as_json,
    )


@app.command("verify")
def verify(
    context: typer.Context,
    head: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A signed head to hold the log to (`decisions head`)."),
    ] = None,
    public_key: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="The key the head must be signed with; default: yours."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Check that nobody changed the decision log. Exit code 3 when it is broken or truncated."""
    from retrospan.canonical import pretty
    from retrospan.config import signing_key
    from retrospan.decision_documents import chain_of, verified
    from retrospan.tree_head import anchored, read_head
    from retrospan.tree_head import public_key as public_half
    from store.decision_log import check_log

    edge = edge_of(context)
    signed = None if head is None else read_head(head)
    with edge.lease("verifying the decision log") as session:
        found = check_log(session)
    anchor = None
    if signed is not None:
        trusted = public_key.lower() if public_key else public_half(signing_key())
        anchor = anchored(found.leaves, signed, trusted)
    document = verified(found, signed, anchor)
    put([pretty(document)] if as_json else _told(document))
    return worst(violation=chain_of(found, anchor) != "intact")


@app.command("prove")
def prove(
    context: typer.Context,
    decision_id: Annotated[str, typer.Argument(metavar="ID", help="A decision's id.")],
    hide: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="Show this field as its commitment; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that a decision is in the log, without showing the others: JSON, checked offline."""
    from retrospan.canonical import pretty
    from retrospan.decision_documents import proved
    from store.decision_log import prove as proof_of

    edge = edge_of(context)
    with edge.lease("proving a decision") as session:
        proof = proof_of(session, decision_id, hide or ())
    put([pretty(proved(proof))])
    if not as_json:
        edge.say(
            f"leaf {proof.leaf_index} of {proof.tree_size}; check it against a signed head of that "
            "size (decisions head)"
        )


@app.command("head")
def write_head(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it here.")
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An earlier head: prove that its log is the beginning."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Sign the head of the decision log: the anchor to keep elsewhere. Refused for a broken log."""
    import time

    from retrospan.canonical import pretty
    from retrospan.config import signing_key
    from retrospan.timespan import rfc3339
    from retrospan.tree_head import anchored, public_key, read_head, signed
    from store.decision_log import check_log

    edge = edge_of(context)
    key = signing_key()
    earlier = None if since is None else read_head(since)
    with edge.lease("signing the head of the decision log") as session:
        found = check_log(session)
    if found.fault_count:
        tell(f"not signed: {found.fault_count} faults; decisions verify names them")
        return ExitCode.VIOLATION
    if earlier is not None:
        state = anchored(found.leaves, earlier, public_key(key))
        if state.chain != "intact":
            tell(f"not signed: {state.said}")
            return ExitCode.VIOLATION
    document = signed(found.leaves, rfc3339(time.time_ns()), key, earlier)
    if out is not None:
        write_text(out, pretty(document) + "\n")
    if out is None or as_json:
        put([pretty(document)])
    else:
        put([f"{out}: {found.tree_size} decisions, root {found.root_hash.hex()}"])
    edge.say(f"signed by {public_key(key)}; keep the head away from the store")
    return ExitCode.FINE


def _described(document: "Document") -> list[str]:
    """The decision itself, one field per line."""
    from retrospan.text import shortened, visible

    decision = document["decision"]
    assert isinstance(decision, dict)
    lines = [
        f"{name}: {shortened(visible(value))}"
        for name in ("decision_id", "time", "chosen", "confidence", "threshold")
        if (value := decision.get(name)) is not None
    ]
    acted = {True: "yes", False: "no", None: "unknown"}[document["acted"]]  # type: ignore[index]
    lines.append(f"flow: {visible(document['flow_id'] or '–')}")
    return [*lines, f"carried out: {acted}; gate: {document['gate']}"]


def _told(document: "Document") -> list[str]:
    """The state of the log in words."""
    from retrospan.text import visible

    faults, anchor, producer = document["faults"], document["anchor"], document["producer"]
    assert isinstance(faults, list) and isinstance(producer, dict)
    lines = [
        f"chain: {document['chain']}",
        f"tree: {document['tree_size']} decisions, root {document['root_hash']}",
        f"purged: {document['purged']} (their leaves stand, their content is gone)",
    ]
    for fault in faults:
        assert isinstance(fault, dict)
        lines.append(
            visible(f"broken at {fault['leaf_index']} ({fault['decision_id']}): {fault['said']}")
        )
    numbers = _numbers(document["gaps"], producer)
    if document["gaps"] and (document["purged"] or faults):
        numbers += " (purged and broken decisions bear no number here: these may be they)"
    lines.append(numbers)
    if isinstance(anchor, dict):
        return [*lines, visible(f"head: {anchor['said']}")]
    return [
        *lines,
        "head: none given; a tail cut off, or a log written anew as a whole, shows only against a "
        "head kept elsewhere (decisions head -o FILE, then decisions verify --head FILE)",
    ]


def _numbers(gaps: object, producer: "Mapping[str, JsonValue]") -> str:
    if not isinstance(gaps, list):
        return "producer: the decisions bear no seq, so missing ones are unknown"
    listed = ", ".join(f"{first}–{last}" for first, last in gaps) or "none"
    said = f"producer: {producer['numbered']} numbered, missing {listed}"
    if producer["unnumbered"]:
        said += f", {producer['unnumbered']} without a number"
    if producer["linked"] or producer["unlinked"]:
        said += f"; {producer['linked']} name the hash of the one before"
    if producer["unlinked"]:
        said += (
            f", {producer['unlinked']} another one, first {producer['first_unlinked']} (changed "
            "before it came here, redacted, or hashed in another form)"
        )
    return said
