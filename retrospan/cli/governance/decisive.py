"""`retrospan governance decisive`: which step most likely decided that a run of agents failed."""

from typing import Annotated

import typer

from retrospan.edge import edge_of, put
from retrospan.listing import AsJson, Column, Format, FormatOption, Listing, Row, field, show

COLUMNS = (
    field("rank", "rank", right=True),
    field("message", "turn", right=True),
    field("agent", "agent"),
    Column(
        header="probability", show=lambda row: f"{float(str(row['probability'])):.2f}", right=True
    ),
    Column(header="seen in it", show=lambda row: "; ".join(map(str, _list(row["reasons"])))),
    field("it says", "said"),
)
CELLS = ("rank", "turn", "agent", "probability", "reasons", "said", "decision_id", "span_id")


def name_decisive_step(
    context: typer.Context,
    flow_id: Annotated[str, typer.Argument(metavar="FLOW", help="The flow of a run that failed.")],
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Rank the steps of a failed run of agents by how likely each decided it; may name none."""
    from analyzer.agents.decisive import rank
    from analyzer.agents.read import read_run
    from retrospan.agent_documents import decisive_document, described

    edge = edge_of(context)
    with edge.reading("reading a run of agents") as session:
        found = read_run(session, flow_id)
    document = decisive_document(found, rank(found.run, found.succeeded, failed=found.failed))
    if not as_json and form is Format.TABLE:
        put(described(document))
    rows: list[Row] = [row for row in _list(document["candidates"]) if isinstance(row, dict)]
    show(
        Listing(
            document=document,
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="no message of an agent is recorded in this flow",
        ),
        form,
        as_json,
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
