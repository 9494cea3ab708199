"""`retrospan dashboard`: the pages, on this machine only."""

from typing import Annotated

import typer

from retrospan.edge import edge_of
from store.errors import UsageError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def command(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8501,
) -> None:
    """Show the store in a browser."""
    if host not in LOOPBACK:
        raise UsageError(f"--host {host}: the dashboard only listens on {', '.join(LOOPBACK)}")
    edge = edge_of(context)
    with edge.lease("opening the dashboard"):
        pass  # a missing or foreign store is told here, not on a page
    from dashboards.serve import serve

    edge.say(f"http://{'[::1]' if host == '::1' else host}:{port} (Ctrl-C ends it)")
    serve(edge.db.absolute(), host, port)
