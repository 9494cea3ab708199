"""A bundle opened on another machine: verified, built again, replayed, compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replay.bundle import load_bundle
from retrospan import version
from retrospan.bundle import layout
from retrospan.bundle.container import digest_of, unpack
from retrospan.bundle.manifest import read_manifest
from retrospan.bundle.proofs import Proved, check_proofs
from retrospan.bundle.rebuilt import (
    Counted,
    Show,
    edge_of_folder,
    rebuild_store,
    replay_all,
    report_of,
)
from retrospan.bundle.settings_file import check_settings
from retrospan.edge import Edge
from retrospan.report.check import Verified, read_report, verify
from store.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What came out. `differing` are flows whose replay has another digest than where the bundle
    was written; `report` says how much of its report was recomputed to the same words, `log` what
    the proofs of its decisions show."""

    sha256: str
    incident_id: str
    redaction: str
    written_by: str
    same_version: bool
    entries: int
    counted: Counted
    replays: int
    differing: Sequence[str]
    report: Verified
    log: Proved


def open_bundle(
    edge: Edge, source: Path, folder: Path, show: Show, limits: layout.Limits | None = None
) -> Opened:
    """Unpack into a new folder, and do again what was done where it was written."""
    show("unpacking")
    found = unpack(source, folder, limits or layout.Limits())
    manifest = read_manifest(folder, found)
    check_settings(folder / layout.SETTINGS)
    log = check_proofs(folder)
    recordings = load_bundle(folder / layout.RECORDINGS)
    inner = edge_of_folder(folder, edge)
    counted = rebuild_store(inner, folder, manifest.incident, show)
    scenarios = sorted(folder / name for name in found if name.startswith(layout.SCENARIOS + "/"))
    replays = replay_all(inner, recordings, scenarios, show)
    now = {result.flow_id: result.digest for result, _ in replays}
    stated = {result.flow_id: digest for result, digest in replays}
    if stated != dict(manifest.replays):
        raise DataError("the manifest and the recordings state other digests of replays")
    document = report_of(inner, manifest.incident.incident_id, folder)
    checks = [
        verify(read_report(folder / name), document, html=name.endswith(".html"))
        for name in layout.REPORTS
    ]
    show("")
    return Opened(
        sha256=digest_of(source),
        incident_id=manifest.incident.incident_id,
        redaction=manifest.redaction,
        written_by=manifest.retrospan,
        same_version=manifest.retrospan == version(),
        entries=len(found),
        counted=counted,
        replays=len(replays),
        differing=sorted(flow_id for flow_id, digest in now.items() if stated[flow_id] != digest),
        report=Verified(
            statements=sum(check.statements for check in checks),
            recomputed=sum(check.recomputed for check in checks),
            drifted=sorted({drift for check in checks for drift in check.drifted}),
        ),
        log=log,
    )
