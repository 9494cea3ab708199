"""`retrospan bundle`: one file that carries an incident to another machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan import telemetry
from retrospan.edge import edge_of, progress_line, put, worst
from retrospan.listing import AsJson
from retrospan.redaction_level import Level
from retrospan.text import visible
from store.errors import UsageError

if TYPE_CHECKING:
    from retrospan.bundle.opening import Opened
    from retrospan.bundle.proofs import Proved
    from retrospan.bundle.writing import Written
    from retrospan.documents import Document

app = typer.Typer(help="Bundles: one file that carries an incident.", no_args_is_help=True)

SHOWN_MAX = 20


@app.command("write")
def write(
    context: typer.Context,
    incident_id: Annotated[str, typer.Argument(metavar="INCIDENT_ID", help="The incident's id.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .zip file to write.")],
    redaction: Annotated[
        Level,
        typer.Option(
            help="as-stored: nothing more is taken away; secrets: the redaction rules are applied "
            "again; bodies: what requests, answers, prompts, logs and errors said goes too."
        ),
    ] = Level.SECRETS,
    around: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Only flows up to so long before and after the incident (`10m`); all, else.",
        ),
    ] = None,
    slo: Annotated[
        list[Path] | None,
        typer.Option("--slo", help="An OpenSLO file the report holds it to; repeatable."),
    ] = None,
    scenario: Annotated[
        list[Path] | None, typer.Option(help="A what-if file to replay it with; repeatable.")
    ] = None,
    policy: Annotated[
        list[Path] | None, typer.Option(help="A policy file that goes along; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the incident's data, recordings, settings, proofs of decisions and report into a zip.

    The same data gives the same bytes. All of it is built again and replayed before it is packed.
    """
    from retrospan.bundle.writing import Wanted, write_bundle
    from retrospan.canonical import pretty

    if output.suffix != ".zip":
        raise UsageError(f"-o {output}: the name must end in .zip")
    edge = edge_of(context)
    wanted = Wanted(
        incident_id=incident_id,
        level=redaction,
        around_ns=_around(around),
        objectives=slo or (),
        scenarios=scenario or (),
        policies=policy or (),
    )
    with telemetry.phase("bundle"):
        written = write_bundle(edge, wanted, output, progress_line(edge))
    document = _written(output, wanted.level, written)
    put([pretty(document)] if as_json else _tell_written(output, written))
    if not as_json:
        if written.proofs.fault:
            edge.say(f"note: {written.proofs.fault}")
        edge.say(f"elsewhere: retrospan bundle open {output.name} -o FOLDER")


def _around(text: str | None) -> int | None:
    from retrospan.timespan import RELATIVE, parse_duration

    if text is None:
        return None
    if not RELATIVE.fullmatch(text):
        raise UsageError(f"--around {text!r} is no duration: write 90s, 10m, 1h")
    return parse_duration(text)


def _written(output: Path, level: Level, written: "Written") -> "Document":
    counted = written.counted
    return {
        "schema": "retrospan.bundle_write/1",
        "file": str(output),
        "bytes": written.size_bytes,
        "sha256": written.sha256,
        "redaction": level.value,
        "redacted_records": written.changed,
        "spans": counted.spans,
        "logs": counted.logs,
        "decisions": counted.decisions,
        "flows": counted.flows,
        "replays": written.replays,
        "proofs": written.proofs.proofs,
        "signer": written.proofs.signer or None,
        "entries": [
            {"name": name, "sha256": digest} for name, digest in sorted(written.entries.items())
        ],
    }


def _tell_written(output: Path, written: "Written") -> list[str]:
    counted = written.counted
    return [
        f"{visible(output)}: {written.size_bytes} bytes, SHA-256 {written.sha256}",
        f"holds    {counted.spans} spans, {counted.logs} log records, {counted.decisions} "
        f"decisions; they make {counted.flows} flows",
        f"redacted {written.changed} records once more",
        f"replays  {written.replays} flows of the incident, with their digests",
        f"proofs   {written.proofs.proofs} decisions of the log"
        + (f", its head signed by {written.proofs.signer[:16]}…" if written.proofs.signer else ""),
    ]


@app.command("open")
def open_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A bundle.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A folder; new or empty.")],
    as_json: AsJson = False,
) -> int:
    """Verify a bundle's digests, build its store, replay its flows, recompute its report. Exit
    code 3 when something comes out otherwise than where it was written, 4 when it is no whole
    bundle."""
    from retrospan.bundle.opening import open_bundle
    from retrospan.canonical import pretty

    edge = edge_of(context)
    with telemetry.phase("bundle"):
        opened = open_bundle(edge, file, output, progress_line(edge))
    document = _opened(file, output, opened)
    put([pretty(document)] if as_json else _tell_opened(output, opened))
    return worst(violation=bool(opened.differing or opened.report.drifted or opened.log.faults))


def _opened(file: Path, output: Path, opened: "Opened") -> "Document":
    counted = opened.counted
    return {
        "schema": "retrospan.bundle_open/1",
        "file": str(file),
        "folder": str(output),
        "sha256": opened.sha256,
        "incident_id": opened.incident_id,
        "redaction": opened.redaction,
        "written_by": opened.written_by,
        "same_version": opened.same_version,
        "entries": opened.entries,
        "spans": counted.spans,
        "logs": counted.logs,
        "decisions": counted.decisions,
        "flows": counted.flows,
        "replays": opened.replays,
        "replays_differing": list(opened.differing),
        "statements": opened.report.statements,
        "recomputed": opened.report.recomputed,
        "drifted": list(opened.report.drifted),
        "decision_log": _log(opened.log),
    }


def _log(log: "Proved") -> "Document":
    head = log.head
    return {
        "proofs": log.proofs,
        "verified": log.verified,
        "faults": list(log.faults),
        "head": None
        if head is None
        else {
            "tree_size": head.tree_size,
            "root_hash": head.root_hash.hex(),
            "signed_at": head.signed_at,
            "public_key": head.public_key,
            "genuine": head.genuine,
        },
    }


def _tell_log(log: "Proved") -> list[str]:
    if not log.proofs:
        return ["proofs   none: no decision of the incident is in a decision log"]
    faults = [f"broken   {visible(fault)}" for fault in log.faults]
    if log.head is None:
        return [f"proofs   {log.proofs} decisions, but no signed head of their log", *faults]
    return [
        f"proofs   {log.verified} of {log.proofs} decisions stood in the log of "
        f"{log.head.tree_size} whose head {log.head.public_key[:16]}… signed as of "
        f"{visible(log.head.signed_at)}: ask its owner whether that key is theirs",
        *faults,
    ]


def _tell_opened(folder: Path, opened: "Opened") -> list[str]:
    counted, report = opened.counted, opened.report
    same = opened.replays - len(opened.differing)
    other = "" if opened.same_version else f" (written by version {visible(opened.written_by)})"
    where = f"--db {visible(folder)}/retrospan.duckdb --config {visible(folder)}/retrospan.toml"
    return [
        f"digests  {opened.entries} entries are what the manifest says{other}",
        f"store    {counted.spans} spans, {counted.logs} log records, {counted.decisions} "
        f"decisions; {counted.flows} flows derived again",
        f"replays  {same} of {opened.replays} to the digest they had where it was written",
        f"report   {report.recomputed} of {report.statements} lines recomputed to the same words",
        *_tell_log(opened.log),
        *(f"differs  {visible(flow_id)}" for flow_id in opened.differing[:SHOWN_MAX]),
        *(f"drifted  {visible(drift)}" for drift in report.drifted[:SHOWN_MAX]),
        f"read     {visible(folder)}/report/post-mortem.html",
        f"look     retrospan {where} incidents show {visible(opened.incident_id)}",
    ]
