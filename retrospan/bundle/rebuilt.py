"""An incident built again from the files of a bundle: store, flows, replays, report.

Both ends call this: where a bundle is written its report and replay digests come from here, where
it is opened they are compared with what comes out.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replay.bundle import Bundle, replay_bundle
from replay.scenario import load_scenario
from replay.settings import ReplaySettings
from retrospan.bundle.inputs import load_inputs
from retrospan.bundle.layout import DECISIONS, LOGS, OBJECTIVES, SETTINGS, SPANS, STORE, Limits
from retrospan.bundle.records import read_records
from retrospan.edge import Edge
from retrospan.incident import overlaps
from retrospan.loading import derive
from retrospan.report.build import build
from retrospan.report.gathering import facts_of
from retrospan.report.model import Document
from retrospan.report.objectives import objectives
from store import read, write
from store.conclusions import Incident, ReplayResult
from store.errors import DataError
from store.lease import Store
from store.model import Batch, Decision, LogRecord, Span

READER = "retrospan.bundle/1"
LEAF_KEY = b"retrospan bundle: the salts of its leaves are no secret"
"""Equal bundles give equal decision logs; the proofs of the original log are carried apart."""
Show = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How much a rebuilt store holds."""

    spans: int
    logs: int
    decisions: int
    flows: int


def edge_of_folder(folder: Path, like: Edge) -> Edge:
    """The store in a bundle's folder, with the settings the bundle carries."""
    return Edge(db=folder / STORE, config=folder / SETTINGS, quiet=like.quiet, verbose=like.verbose)


def rebuild_store(edge: Edge, folder: Path, incident: Incident, show: Show) -> Counted:
    """A store from the data files, flows derived, the incident in it."""
    store = edge.store()
    limits = Limits()
    _load(store, folder / SPANS, limits, Span)
    _load(store, folder / LOGS, limits, LogRecord)
    _load(store, folder / DECISIONS, limits, Decision)
    derive(edge, show)
    with edge.lease("putting a bundle's incident into its store") as session:
        write.write_incident(session, incident)
        load_inputs(session, incident.incident_id, folder)
        counts = read.counts(session)
    return Counted(
        spans=counts.spans, logs=counts.logs, decisions=counts.decisions, flows=counts.flows
    )


def _load(store: Store, path: Path, limits: Limits, record: type[Any]) -> None:
    field = {Span: "spans", LogRecord: "logs", Decision: "decisions"}[record]
    for number, records in enumerate(read_records(path, record, limits.rows_max)):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
        digest.update(f"{field} {number}".encode())
        part: Mapping[str, Any] = {field: records}
        batch = Batch(
            source=path.name,
            content_sha256=digest.hexdigest(),
            reader=READER,
            rules_sha256="0" * 64,
            leaf_key=LEAF_KEY,
            **part,
        )
        with store.lease("loading a bundle", create=True) as session:
            write.write_batch(session, batch)


def window_flow_ids(edge: Edge, incident: Incident) -> list[str]:
    """Flows that ran in the incident, by start."""
    with edge.reading("reading a bundle's flows") as session:
        flows = read.read_flows(session)
    return [flow.flow_id for flow in flows if overlaps(flow, incident.start_ns, incident.end_ns)]


def replay_all(
    edge: Edge, recordings: Bundle, scenarios: Sequence[Path], show: Show
) -> list[tuple[ReplayResult, str]]:
    """Control replays, and those of each scenario, stored; the controls with the digest each had
    where the recordings were written."""
    settings = edge.settings().fill("replay", ReplaySettings)
    show("replaying")
    controls = replay_bundle(recordings, [], settings=settings)
    results = [result for _, result in controls]
    for path in scenarios:
        show(f"replaying with {path.name}")
        scenario = load_scenario(path)
        results += [
            result
            for _, result in replay_bundle(recordings, [], scenario=scenario, settings=settings)
        ]
    show("")
    with edge.lease("storing a bundle's replays") as session:
        known = {flow.flow_id for flow in read.read_flows(session)}
        if missing := sorted({result.flow_id for result in results} - known):
            raise DataError(f"recorded flow {missing[0]!r} does not come out of the bundle's data")
        write.write_replays(session, results)
    return [(result, item.digest) for item, result in controls]


def report_of(edge: Edge, incident_id: str, folder: Path) -> Document:
    """The report of what the folder holds."""
    files = sorted(
        path for path in (folder / OBJECTIVES).glob("*.y*ml") if path.suffix in {".yaml", ".yml"}
    )
    held_to = objectives(files, edge.settings())
    return build(facts_of(edge, incident_id, held_to, anew=True))
