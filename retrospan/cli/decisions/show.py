"""`retrospan decisions show`: one decision from its input to its effect."""

from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import edge_of, put
from retrospan.listing import AsJson, Format, FormatOption, Listing, Row, field, show

if TYPE_CHECKING:
    from retrospan.documents import Document

HOP_COLUMNS = (
    field("hop", "hop"),
    field("link", "link"),
    field("what it says", "said"),
    field("lacks", "lacks"),
)
HOP_CELLS = ("hop", "link", "said", "lacks")


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
    with edge.reading("showing a decision") as session:
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
    if decision.get("kind") == "flag":
        lines.append(f"a feature flag, told by a {visible(decision.get('source'))}")
        return [*lines, f"flow: {visible(document['flow_id'] or '–')}"]
    acted = {True: "yes", False: "no", None: "unknown"}[document["acted"]]  # type: ignore[index]
    lines.append(f"flow: {visible(document['flow_id'] or '–')}")
    return [*lines, f"carried out: {acted}; gate: {document['gate']}"]
