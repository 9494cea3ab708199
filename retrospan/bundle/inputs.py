"""The files that people gave for an incident, carried with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from analyzer.rootcause.telemetry import Change, Measurement
from retrospan.bundle.layout import INPUTS
from retrospan.bundle.levels import Sieve
from retrospan.canonical import canonical
from retrospan.incident_inputs import CHANGES, METRICS, RECORDS_MAX, rows_of
from retrospan.redaction_level import Level
from store.errors import DataError
from store.incident_records import IncidentInput, read_incident_inputs, replace_incident_inputs
from store.session import Session

BYTES_MAX: Final = 256 << 20
FILES_MAX: Final = 100
NAME_CHARACTERS_MAX: Final = 255
HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedFile:
    """One file: `sha256` is that of the file as it was first given."""

    kind: Literal["changes", "metrics"]
    name: str
    sha256: str
    changes: Sequence[Change] = ()
    measurements: Sequence[Measurement] = ()


def write_inputs(session: Session, incident_id: str, folder: Path, sieve: Sieve) -> bool:
    """Put the files kept with an incident into a bundle's folder; False where there are none.

    Redacted like the data; where bodies stay behind, so does what changes said.
    """
    files = [_carried(file, sieve) for file in read_incident_inputs(session, incident_id)]
    if files:
        (folder / INPUTS).write_bytes(msgspec.json.encode(files))
    return bool(files)


def load_inputs(session: Session, incident_id: str, folder: Path) -> None:
    """Keep the files of a bundle's folder with the incident. DataError for what is none."""
    path = folder / INPUTS
    if not path.is_file():
        return
    if path.stat().st_size > BYTES_MAX:
        raise DataError(f"{path} has more than {BYTES_MAX} bytes")
    try:
        files = msgspec.json.decode(path.read_bytes(), type=list[CarriedFile])
    except (msgspec.DecodeError, RecursionError) as error:
        raise DataError(f"{path} holds no files of an incident: {error}") from None
    records = [max(len(file.changes), len(file.measurements)) for file in files]
    if len(files) > FILES_MAX or max(records, default=0) > RECORDS_MAX:
        raise DataError(f"{path} has more than {FILES_MAX} files or {RECORDS_MAX} records in one")
    for file in files:
        if not HASH.fullmatch(file.sha256) or len(file.name) > NAME_CHARACTERS_MAX:
            raise DataError(f"{path}: a file has no proper name or digest")
    for kind in (CHANGES, METRICS):
        kept = [_kept(file, incident_id) for file in files if file.kind == kind]
        replace_incident_inputs(session, incident_id, kind, kept)


def _carried(file: IncidentInput, sieve: Sieve) -> CarriedFile:
    rows = rows_of(file)
    name = sieve.text(file.name)
    if file.kind == METRICS:
        found = [
            Measurement(at_ns, sieve.text(service), sieve.text(metric), value)
            for at_ns, service, metric, value in rows
        ]
        return CarriedFile(kind="metrics", name=name, sha256=file.sha256, measurements=found)
    changes = [
        Change(
            at_ns=row["at_ns"],
            kind=sieve.text(row["kind"]),
            service=sieve.text(row["service"]),
            name=sieve.text(row["name"]),
            text="" if sieve.level is Level.BODIES else sieve.text(row["text"]),
        )
        for row in rows
    ]
    return CarriedFile(kind="changes", name=name, sha256=file.sha256, changes=changes)


def _kept(file: CarriedFile, incident_id: str) -> IncidentInput:
    rows = (
        [list(one) for one in file.measurements]
        if file.kind == METRICS
        else [msgspec.to_builtins(one) for one in file.changes]
    )
    return IncidentInput(
        incident_id=incident_id,
        kind=file.kind,
        name=file.name,
        sha256=file.sha256,
        records=len(rows),
        content=canonical(rows),
    )
