"""`retrospan replay flip`: the smallest change after which a flow ends otherwise."""

from typing import Annotated

import typer

from retrospan.cli.replay.people import folded, suggest
from retrospan.edge import edge_of, put
from retrospan.listing import AsJson


def flip_flow(
    context: typer.Context,
    flow_id: Annotated[str, typer.Argument(metavar="ID", help="The flow's id.")],
    operation: Annotated[str, typer.Option(help="Whose setting: `SERVICE METHOD /path`.")],
    change: Annotated[
        str, typer.Option(help="What to change: timeout, attempts, threshold or latency.")
    ],
    as_json: AsJson = False,
) -> None:
    """Search for the smallest change of one setting after which a flow ends otherwise."""
    from retrospan.canonical import pretty
    from retrospan.flips import flip_document, flip_lines

    edge = edge_of(context)
    document = flip_document(edge, flow_id, operation, change)
    if as_json:
        put([pretty(document)])
        return
    put(folded(flip_lines(document)))
    if document["value"] is None:
        suggest(edge, "replay", "run", flow_id)
    else:
        suggest(edge, "replay", "batch", "--scenario", "FILE")
