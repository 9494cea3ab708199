"""A bundle out of a store."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.own_rules import OwnRules
from ingest.redact import Redactor
from replay.bundle import Bundle, bundle_of, lines_of
from replay.scenario import load_scenario
from retrospan import version
from retrospan.bundle import layout
from retrospan.bundle.chosen import Records, chosen_records
from retrospan.bundle.container import digest_of, pack
from retrospan.bundle.inputs import write_inputs
from retrospan.bundle.levels import Sieve
from retrospan.bundle.manifest import Manifest, write_manifest
from retrospan.bundle.proofs import Carried, write_proofs
from retrospan.bundle.rebuilt import (
    Counted,
    Show,
    edge_of_folder,
    rebuild_store,
    replay_all,
    report_of,
    window_flow_ids,
)
from retrospan.bundle.records import write_records
from retrospan.bundle.settings_file import settings_text
from retrospan.config import redaction_key
from retrospan.edge import Edge
from retrospan.redaction_level import Level
from retrospan.replaying import Replayer
from retrospan.report.objectives import FILE_NAME
from retrospan.report.save import content
from store import read
from store.conclusions import Incident
from store.errors import DataError, UsageError
from store.model import Decision, LogRecord, Span

FILE_BYTES_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What goes into a bundle besides the incident's data."""

    incident_id: str
    level: Level
    around_ns: int | None
    objectives: Sequence[Path] = ()
    scenarios: Sequence[Path] = ()
    policies: Sequence[Path] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written. `changed` records were changed by redaction; `entries` gives digests."""

    sha256: str
    size_bytes: int
    changed: int
    counted: Counted
    replays: int
    proofs: Carried
    entries: Mapping[str, str]


def write_bundle(edge: Edge, wanted: Wanted, output: Path, show: Show) -> Written:
    """Choose, redact, build again what the bundle holds, replay it, report on it, pack it."""
    settings = edge.settings()
    sieve = Sieve(wanted.level, Redactor(redaction_key(), settings.fill("redaction", OwnRules)))
    with edge.reading("reading an incident for a bundle") as session:
        incident = read.read_incident(session, wanted.incident_id)
    incident = replace(incident, title=sieve.text(incident.title))
    with tempfile.TemporaryDirectory(prefix="retrospan-bundle-") as name:
        folder = Path(name)
        show("choosing what was recorded")
        records = chosen_records(edge.store(), incident, wanted.around_ns)
        _write_data(folder, records, sieve)
        entries = [layout.SPANS, layout.LOGS, layout.DECISIONS, layout.SETTINGS]
        text = settings_text(settings.tables)
        sieve.file("the configuration", text)
        (folder / layout.SETTINGS).write_text(text, encoding="utf-8")
        entries += _own_files(folder, wanted, sieve)
        with edge.reading("reading the files of an incident") as session:
            write_inputs(session, incident.incident_id, folder, sieve)
        proofs = write_proofs(edge, _taken_by(edge, incident, records.decisions), folder)
        optional = (layout.INPUTS, layout.PROOFS, layout.HEAD)
        entries += [name for name in optional if (folder / name).is_file()]
        inner = edge_of_folder(folder, edge)
        counted = rebuild_store(inner, folder, incident, show)
        recordings = _recordings(inner, incident, folder / layout.RECORDINGS, show)
        replays = replay_all(inner, recordings, _scenario_files(folder), show)
        document = report_of(inner, incident.incident_id, folder)
        for report in layout.REPORTS:
            (folder / report).write_bytes(content(document, Path(report).suffix))
        entries += [layout.RECORDINGS, *layout.REPORTS]
        digests = {entry: digest_of(folder / entry) for entry in entries}
        write_manifest(
            folder / layout.MANIFEST,
            Manifest(
                retrospan=version(),
                redaction=wanted.level.value,
                around_ns=wanted.around_ns,
                incident=incident,
                counts={
                    "spans": counted.spans,
                    "logs": counted.logs,
                    "decisions": counted.decisions,
                    "flows": counted.flows,
                },
                replays={result.flow_id: result.digest for result, _ in replays},
                entries=digests,
            ),
        )
        packed = {entry: folder / entry for entry in (*entries, layout.MANIFEST)}
        show("packing")
        sha256 = pack(output, packed)
    show("")
    return Written(
        sha256=sha256,
        size_bytes=output.stat().st_size,
        changed=sieve.changed,
        counted=counted,
        replays=len(replays),
        proofs=proofs,
        entries=digests,
    )


def _taken_by(edge: Edge, incident: Incident, decisions: Sequence[Decision]) -> list[Decision]:
    """Decisions of the affected flows."""
    affected = set(incident.flow_ids)
    with edge.reading("reading the decisions of an incident") as session:
        flows = read.read_flows(session)
    ids = {
        decision_id
        for flow in flows
        if flow.flow_id in affected
        for decision_id in flow.decision_ids
    }
    return [one for one in decisions if one.decision_id in ids or one.flow_id in affected]


def _write_data(folder: Path, records: Records, sieve: Sieve) -> None:
    (folder / "data").mkdir()
    write_records(folder / layout.SPANS, Span, [sieve.span(one) for one in records.spans])
    write_records(folder / layout.LOGS, LogRecord, [sieve.log(one) for one in records.logs])
    decisions = [sieve.decision(one) for one in records.decisions]
    write_records(folder / layout.DECISIONS, Decision, decisions)


def _own_files(folder: Path, wanted: Wanted, sieve: Sieve) -> list[str]:
    """Objectives, scenarios and policies, as they are, under their own names."""
    entries: list[str] = []
    (folder / layout.OBJECTIVES).mkdir()
    for place, paths in (
        (layout.OBJECTIVES, wanted.objectives),
        (layout.SCENARIOS, wanted.scenarios),
        (layout.POLICIES, wanted.policies),
    ):
        for path in paths:
            name = layout.named(place, path)
            if not layout.is_name(name) or name in entries:
                raise UsageError(f"{path}: a bundle cannot hold a file of that name, or holds one")
            if place == layout.OBJECTIVES and not FILE_NAME.fullmatch(path.name):
                raise UsageError(f"{path}: a file of objectives ends in .yaml or .yml")
            if place == layout.SCENARIOS:
                load_scenario(path)
            target = folder / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(_text_of(path, sieve))
            entries.append(name)
    return entries


def _text_of(path: Path, sieve: Sieve) -> bytes:
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text: {error}") from error
    if len(data) > FILE_BYTES_MAX:
        raise DataError(f"{path} has {len(data)} bytes, at most {FILE_BYTES_MAX} go in")
    sieve.file(str(path), text)
    return data


def _scenario_files(folder: Path) -> list[Path]:
    return sorted((folder / layout.SCENARIOS).glob("*"))


def _recordings(edge: Edge, incident: Incident, output: Path, show: Show) -> Bundle:
    """The recordings of the incident's flows with their programs, also as a file."""
    wanted = window_flow_ids(edge, incident)
    if not wanted:
        raise DataError(f"no flow ran in incident {incident.incident_id}")
    show(f"inferring programs, replaying {len(wanted)} flows")
    replayer = Replayer(edge)
    recordings = bundle_of(
        [replayer.recordings[flow_id] for flow_id in wanted], replayer.programs, replayer.settings
    )
    with output.open("wb") as stream:
        for line in lines_of(recordings):
            stream.write(f"{line}\n".encode())
    return recordings
