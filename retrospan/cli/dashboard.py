"""`retrospan dashboard`: the pages, on this machine unless told otherwise."""

import os
from pathlib import Path
from typing import Annotated

import typer

from retrospan.config import CONFIG_VARIABLE
from retrospan.edge import edge_of


def command(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8501,
    token: Annotated[
        str | None,
        typer.Option(envvar="RETROSPAN_TOKEN", help="What a person types in to see the pages."),
    ] = None,
    sign_in: Annotated[
        Path | None,
        typer.Option(help="TOML file with Streamlit's [auth] table: sign in by OpenID Connect."),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Keep nothing in the store, whatever is pressed.")
    ] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let anyone read who can reach the address.")
    ] = False,
) -> None:
    """Show the store in a browser."""
    from dashboards.serve import require_access, serve

    token = token or None
    require_access(host, insecure=insecure, token=token, sign_in=sign_in)
    edge = edge_of(context)
    with edge.reading("opening the dashboard"):
        pass  # a missing or foreign store is told here, not on a page
    if edge.config is not None:
        os.environ[CONFIG_VARIABLE] = str(edge.config.absolute())  # where the pages look for it
    edge.say(f"http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C ends it)")
    serve(
        edge.db.absolute(),
        host,
        port,
        insecure=insecure,
        token=token,
        sign_in=sign_in,
        read_only=read_only,
    )
