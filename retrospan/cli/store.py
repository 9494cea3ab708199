"""`retrospan store`: the file itself."""

from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import edge_of, progress_line, put
from retrospan.listing import AsJson

if TYPE_CHECKING:
    from retrospan.documents import Document
    from store.upgrade import Rewritten

app = typer.Typer(help="The store file.", no_args_is_help=True)


@app.command("upgrade")
def upgrade_store(
    context: typer.Context,
    backup: Annotated[
        bool, typer.Option("--backup/--no-backup", help="Keep the old file beside the new one.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Bring a store of an older schema to the present one, then derive its flows again."""
    from retrospan import telemetry
    from retrospan.canonical import pretty
    from retrospan.config import redaction_key
    from retrospan.loading import derive
    from store.upgrade import upgrade

    edge = edge_of(context)
    show = progress_line(edge)
    with telemetry.phase("upgrade"):
        done = upgrade(
            edge.db,
            edge.settings().lease(),
            keep_old=backup,
            told=lambda table, rows: show(f"{table}: {rows}"),
            leaf_key=redaction_key(),
        )
    show("")
    if as_json:
        put([pretty(_document(done))])
    elif not done.changed:
        put([f"schema {done.to_version} already: nothing to do"])
    else:
        put([f"schema {done.from_version} to {done.to_version}: {_counted(done)}"])
    if done.backup is not None:
        edge.say(f"the old file is kept as {done.backup}")
    if done.replays:
        edge.say(f"{done.replays} replays were not taken over; run them again when needed")
    if done.changed:
        edge.say(derive(edge, show))


def _counted(done: "Rewritten") -> str:
    return ", ".join(f"{table} {rows}" for table, rows in done.rows.items() if rows) or "no rows"


def _document(done: "Rewritten") -> "Document":
    return {
        "schema": "retrospan.store_upgrade/1",
        "from_version": done.from_version,
        "to_version": done.to_version,
        "changed": done.changed,
        "backup": None if done.backup is None else str(done.backup),
        "rows": dict(done.rows),
        "replays_dropped": done.replays,
        "bytes_before": done.bytes_before,
        "bytes_after": done.bytes_after,
    }
