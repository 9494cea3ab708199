"""What is kept with an incident: the files people gave for it, and what may have caused it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from store import rows
from store.session import Session

_TEXT, _INT = pa.string(), pa.int64()
_INPUTS = pa.schema(
    {
        "incident_id": _TEXT,
        "kind": _TEXT,
        "name": _TEXT,
        "sha256": _TEXT,
        "records": _INT,
        "content": _TEXT,
    }
)
_CAUSES = pa.schema({"incident_id": _TEXT, "generation": _INT, "basis": _TEXT, "content": _TEXT})


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentInput:
    """A file given for an incident. `kind` is changes or metrics; `sha256` is that of the file as
    it was given; `content` is JSON of the `records` of it that lie around the incident."""

    incident_id: str
    kind: str
    name: str
    sha256: str
    records: int
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCauses:
    """Concluded causes as JSON text. `generation` is that of the data they were concluded from;
    `basis` is a digest of everything they rest on."""

    incident_id: str
    generation: int
    basis: str
    content: str


def replace_incident_inputs(
    session: Session, incident_id: str, kind: str, inputs: Sequence[IncidentInput]
) -> None:
    """Keep these files of one kind with an incident, in the place of all earlier ones."""
    data = rows.table(
        (
            (one.incident_id, one.kind, one.name, one.sha256, one.records, one.content)
            for one in inputs
        ),
        _INPUTS,
    )
    with session.transaction():
        session.run("write/delete_incident_inputs", {"incident_id": incident_id, "kind": kind})
        session.run_over("write/incident_inputs", "incoming", data)


def read_incident_inputs(session: Session, incident_id: str) -> list[IncidentInput]:
    """The files kept with an incident, by kind, name and digest."""
    found = session.rows("read/incident_inputs", {"incident_id": incident_id})
    names = IncidentInput.__slots__
    return [IncidentInput(**dict(zip(names, row, strict=True))) for row in found]


def write_causes(session: Session, kept: KeptCauses) -> None:
    """Keep what was concluded, in the place of what was before."""
    row = (kept.incident_id, kept.generation, kept.basis, kept.content)
    with session.transaction():
        session.run("write/delete_incident_causes", {"incident_id": kept.incident_id})
        session.run_over("write/incident_causes", "incoming", rows.table([row], _CAUSES))


def read_causes(session: Session) -> dict[str, KeptCauses]:
    """What was concluded of each incident, by its id. Whether it still holds is not asked here."""
    names = KeptCauses.__slots__
    found = [
        KeptCauses(**dict(zip(names, row, strict=True)))
        for row in session.rows("read/incident_causes")
    ]
    return {one.incident_id: one for one in found}
