"""`retrospan purge`: recorded data out of the store."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import Edge, edge_of, progress_line, put
from retrospan.listing import AsJson
from store.errors import UsageError

if TYPE_CHECKING:
    from store.purge import Purged


def command(
    context: typer.Context,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="What ended before: RFC 3339, or `30d` before the end of the data.",
        ),
    ] = None,
    flow: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="This flow; repeatable.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be purged.")
    ] = False,
    rewrite: Annotated[
        bool,
        typer.Option(
            "--rewrite", help="Write the file anew, so that no purged byte stays in free blocks."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete flows with all that was recorded of them; decisions keep their proofs."""
    from retrospan import telemetry
    from retrospan.canonical import pretty
    from retrospan.loading import derive
    from store.upgrade import rewrite as write_anew

    if (before is None) == (not flow):
        raise UsageError("say what to purge: --before TIME, or --flow ID (not both)")
    edge = edge_of(context)
    show = progress_line(edge)
    if not dry_run:  # which data is one flow must be known before some of it goes
        derive(edge, show)
    with telemetry.phase("purge"):
        done, underived = _purge(edge, before, flow or [], dry_run)
    if underived:
        edge.say(f"{underived} traces are not derived yet; they were left out")
    if not dry_run:
        derive(edge, show)
    bytes_freed = None
    if rewrite and not dry_run:
        with telemetry.phase("rewrite"):
            written = write_anew(edge.db, edge.settings().lease())
        bytes_freed = written.bytes_before - written.bytes_after
    counted = asdict(done)
    if as_json:
        document = {
            "schema": "retrospan.purge/1",
            "dry_run": dry_run,
            "bytes_freed": bytes_freed,
            **counted,
        }
        put([pretty(document)])
    else:
        said = ", ".join(f"{name} {count}" for name, count in counted.items() if count)
        put([("would purge: " if dry_run else "purged: ") + (said or "nothing")])
    if not done.nothing and not rewrite and not dry_run:
        edge.say(
            "deleted bytes stay in free blocks of the file until they are reused; see --rewrite"
        )


def _purge(
    edge: Edge, before: str | None, flow_ids: list[str], dry_run: bool
) -> "tuple[Purged, int]":
    """What was purged; how many traces could not be looked at."""
    from retrospan.timespan import parse_moment
    from store import purge, read

    with edge.lease("purging") as session:
        known = read.counts(session)
        if before is None:
            done = purge.purge_flows(session, flow_ids, dry_run=dry_run)
        else:
            moment = parse_moment(before, known.data_end_ns, "--before")
            done = purge.purge_before(session, moment, dry_run=dry_run)
    return done, known.underived_traces
