"""`retrospan decisions verify`, `prove`, `head`: what the decision log can be held to."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import ExitCode, edge_of, put, tell, worst
from retrospan.listing import AsJson
from retrospan.output import write_text

if TYPE_CHECKING:
    from retrospan.documents import Document
    from store.model import JsonValue


def verify_log(
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
    with edge.reading("verifying the decision log") as session:
        found = check_log(session)
    anchor = None
    if signed is not None:
        trusted = public_key.lower() if public_key else public_half(signing_key())
        anchor = anchored(found.leaves, signed, trusted)
    document = verified(found, signed, anchor)
    put([pretty(document)] if as_json else _told(document))
    return worst(violation=chain_of(found, anchor) != "intact")


def prove_decision(
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
    from store.decision_log import prove

    edge = edge_of(context)
    with edge.reading("proving a decision") as session:
        proof = prove(session, decision_id, hide or ())
    put([pretty(proved(proof))])
    if not as_json:
        edge.say(
            f"leaf {proof.leaf_index} of {proof.tree_size}; check it against a signed head of that "
            "size (decisions head)"
        )


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
    with edge.reading("signing the head of the decision log") as session:
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
