"""Recordings of stored flows as documents, and as files that replay elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from retrospan.documents import Document
from retrospan.edge import Edge
from retrospan.replaying import Replayer
from retrospan.text import visible
from store.conclusions import Flow
from store.errors import DataError, NotFoundError
from store.model import JsonValue

Show = Callable[[str], None]


def recording_row(flow: Flow) -> Document:
    """What of a flow can be replayed, and what would raise that."""
    from replay.recording import recording_of

    recording = recording_of(flow)
    return {
        "flow_id": recording.flow_id,
        "name": recording.name,
        "version": recording.version,
        "outcome": recording.outcome,
        "grade": recording.grade,
        "gaps": list(recording.gaps),
        "calls": sum(len(step.attempts) for step in recording.steps),
        "draws": len(recording.draws),
        "unusable": recording.unusable,
    }


def provenance_document(flow: Flow, replayer: Replayer) -> Document:
    """`retrospan.recording_provenance/1`: the program the flow is replayed with, rule by rule, and
    where the values of the flow's requests come from."""
    from replay.provenance import provenance_of
    from replay.stated import statements_of

    recording = replayer.recordings[flow.flow_id]
    kind = replayer.programs[recording.name, recording.version]
    reason = recording.unusable or kind.refusal_for(flow.flow_id)
    origins: list[JsonValue] = []
    rules: list[JsonValue] = []
    digest, flows = "", 0
    if not reason:
        machine, digest = kind.machine_for(flow.flow_id)
        flows = machine.program.flows
        rules += [asdict(rule) for rule in statements_of(machine.program)]
        called = {step.op for step in recording.steps}
        origins = [
            {**asdict(origin), "rivals": list(origin.rivals)}
            for origin in provenance_of(machine.program)
            if origin.operation in called
        ]
    return {
        "schema": "retrospan.recording_provenance/1",
        "recording": recording_row(flow),
        "program": digest,
        "program_flows": flows,
        "reason": reason,
        "rules": rules,
        "provenance": origins,
    }


def provenance_head(document: Document) -> list[str]:
    """The facts above the table of origins."""
    row = document["recording"]
    assert isinstance(row, dict)
    gaps = row["gaps"]
    assert isinstance(gaps, list)
    lines = [
        f"flow     {visible(str(row['flow_id']))}",
        f"kind     {visible(str(row['name']))} {visible(str(row['version']))}",
        f"grade    {row['grade']}",
        *(f"raise    {visible(str(gap))}" for gap in gaps),
        f"calls    {row['calls']}",
        f"draws    {row['draws']}",
    ]
    if document["reason"]:
        return [*lines, f"program  none: {visible(str(document['reason']))}"]
    return [
        *lines,
        f"program  {document['program']}, made of {document['program_flows']} other flows",
    ]


def export(edge: Edge, flow_ids: Sequence[str] | None, output: Path, tell: Show) -> Document:
    """Write recordings with their programs; `retrospan.recordings_export/1` says what was."""
    from replay.bundle import bundle_of, lines_of

    replayer = Replayer(edge)
    wanted = list(dict.fromkeys(flow_ids or replayer.recordings))
    for flow_id in wanted:
        if flow_id not in replayer.recordings:
            raise NotFoundError(f"there is no flow {flow_id}")
    tell(f"replaying {len(wanted)} flows")
    bundle = bundle_of(
        [replayer.recordings[flow_id] for flow_id in wanted], replayer.programs, replayer.settings
    )
    size = 0
    try:
        with output.open("wb") as stream:
            for line in lines_of(bundle):
                size += stream.write(f"{line}\n".encode())
    except OSError as error:
        raise DataError(f"{output}: the recordings cannot be written: {error}") from None
    tell("")
    return {
        "schema": "retrospan.recordings_export/1",
        "file": str(output),
        "bytes": size,
        "recordings": len(bundle.recordings),
        "programs": len(bundle.programs),
        "without_program": sum(not item.program for item in bundle.recordings),
    }


def replay_document(
    edge: Edge, file: Path, flow_ids: Sequence[str], scenario: Path | None
) -> Document:
    """`retrospan.recordings_replay/1`: replays from a file, and whether they came out the same."""
    from replay.bundle import load_bundle, replay_bundle
    from replay.scenario import load_scenario
    from replay.settings import ReplaySettings

    settings = edge.settings().fill("replay", ReplaySettings)
    what_if = None if scenario is None else load_scenario(scenario)
    bundle = load_bundle(file)
    rows: list[JsonValue] = []
    for item, result in replay_bundle(bundle, flow_ids, scenario=what_if, settings=settings):
        control = result.control_digest if what_if is not None else result.digest
        rows.append(
            {
                "flow_id": result.flow_id,
                "control": result.control_verdict or result.verdict,
                "verdict": result.verdict,
                "outcome": result.outcome,
                "digest": result.digest,
                "exported_digest": item.digest,
                "same": control == item.digest if item.digest else None,
                "claim": result.claim,
                "reason": result.reason,
                "flags": list(result.flags),
            }
        )
    return {
        "schema": "retrospan.recordings_replay/1",
        "scenario": None if what_if is None else what_if.name,
        "replays": rows,
    }
