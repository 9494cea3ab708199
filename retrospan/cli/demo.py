"""`retrospan demo`: a recorded incident, from raw telemetry to a post-mortem."""

from pathlib import Path
from typing import Annotated

import typer

from retrospan.edge import edge_of, progress_line, put
from retrospan.text import visible


def command(
    context: typer.Context,
    sample: Annotated[str, typer.Option(help="Which recorded incident.")] = "payment-brownout",
    out: Annotated[Path, typer.Option(help="Where to put the store and the report.")] = Path(
        "retrospan-demo"
    ),
) -> None:
    """Load a sample incident, verify it, replay it, write the post-mortem."""
    from retrospan.demo import run

    edge = edge_of(context)
    made = run(edge, sample, out, progress_line(edge))
    put(visible(statement.text) for statement in made.document.statements[:4])
    markdown, html = made.written
    of_html = made.verified[-1]
    drifted = sum(len(one.drifted) for one in made.verified)
    put(
        [
            f"Recomputed from the store: {of_html.recomputed} of {of_html.statements} sentences "
            f"and tables say the same; {drifted} drifted.",
            "",
            f"store    {visible(made.store)}",
            f"report   {visible(html)} (and {visible(markdown.name)})",
            f"verify   retrospan --db {visible(made.store)} report verify {visible(html)}",
            f"look     retrospan --db {visible(made.store)} dashboard",
            f"undo     retrospan --db {visible(made.store)} sagas list --residual",
            f"why      retrospan --db {visible(made.store)} findings list",
        ]
    )
