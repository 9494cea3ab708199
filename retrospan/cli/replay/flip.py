"""`retrospan replay flip`: the smallest change after which a flow ends otherwise."""

from typing import Annotated

import typer

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

    document = flip_document(edge_of(context), flow_id, operation, change)
    put([pretty(document)] if as_json else flip_lines(document))
