"""Files that people give for an incident, kept with it so that its report can be recomputed.

Of a file of changes or metrics only what lies around the incident is kept, redacted like all data.
Metrics are no signal of the store: these few values are evidence of one incident.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analyzer.incidents.cases import around
from analyzer.incidents.changes import read_changes, read_measurements
from analyzer.rootcause.telemetry import Change, Measurement
from ingest.own_rules import OwnRules
from ingest.redact import Redactor
from retrospan.canonical import canonical
from retrospan.config import redaction_key
from store.conclusions import Incident
from store.errors import DataError, InvariantError
from store.incident_records import IncidentInput, read_incident_inputs, replace_incident_inputs
from store.session import Session

if TYPE_CHECKING:
    from retrospan.edge import Edge

CHANGES: Final = "changes"
METRICS: Final = "metrics"
RECORDS_MAX: Final = 200_000
"""Of one file with one incident; more is refused by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file given for an incident, without what it holds: `kind` is changes or metrics, `sha256`
    that of the file as it was given, `records` how many of it lie around the incident."""

    kind: str
    name: str
    sha256: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was given for an incident: the files, and what they hold."""

    files: Sequence[InputFile] = ()
    changes: Sequence[Change] = ()
    measurements: Sequence[Measurement] = ()


def keep_inputs(
    edge: "Edge", incident: Incident, changes: Sequence[Path], metrics: Sequence[Path]
) -> None:
    """Keep files with an incident, in the place of earlier ones of the same kind.

    DataError names a file of which nothing lies around the incident: it is the wrong one, or its
    times are.
    """
    redactor = Redactor(redaction_key(), edge.settings().fill("redaction", OwnRules))
    files = {
        CHANGES: [_changes(path, incident, redactor.text) for path in changes],
        METRICS: [_metrics(path, incident, redactor.text) for path in metrics],
    }
    with edge.lease("keeping files with an incident") as session:
        for kind, given in files.items():
            if given:
                replace_incident_inputs(session, incident.incident_id, kind, given)


def forget_inputs(edge: "Edge", incident_id: str) -> None:
    """Keep no file with the incident any more."""
    with edge.lease("forgetting an incident's files") as session:
        for kind in (CHANGES, METRICS):
            replace_incident_inputs(session, incident_id, kind, ())


def given_for(session: Session, incident_id: str) -> Given:
    """What is kept with an incident, read back."""
    kept = read_incident_inputs(session, incident_id)
    changes: list[Change] = []
    measurements: list[Measurement] = []
    for file in kept:
        rows = rows_of(file)
        if file.kind == CHANGES:
            changes += [Change(**row) for row in rows]
        else:
            measurements += [Measurement(*row) for row in rows]
    files = [
        InputFile(kind=one.kind, name=one.name, sha256=one.sha256, records=one.records)
        for one in kept
    ]
    return Given(files=files, changes=changes, measurements=measurements)


def rows_of(file: IncidentInput) -> list[Any]:
    """The records of a file that was kept."""
    rows = json.loads(file.content)
    if not isinstance(rows, list) or len(rows) != file.records:
        raise InvariantError(f"{file.name}: what is kept of it is not whole")
    return rows


def _changes(path: Path, incident: Incident, redacted: Callable[[str], str]) -> IncidentInput:
    since_ns, until_ns = around(incident.start_ns, incident.end_ns)
    kept = [
        {
            name: redacted(value) if isinstance(value, str) else value
            for name, value in asdict(one).items()
        }
        for one in read_changes(path)
        if since_ns <= one.at_ns <= until_ns
    ]
    return _input(incident, CHANGES, path, kept)


def _metrics(path: Path, incident: Incident, redacted: Callable[[str], str]) -> IncidentInput:
    since_ns, until_ns = around(incident.start_ns, incident.end_ns)
    names: dict[str, str] = {}

    def clean(text: str) -> str:
        if text not in names:
            names[text] = redacted(text)
        return names[text]

    kept = [
        [one.at_ns, clean(one.service), clean(one.name), one.value]
        for one in read_measurements(path)
        if since_ns <= one.at_ns <= until_ns
    ]
    return _input(incident, METRICS, path, kept)


def _input(
    incident: Incident, kind: str, path: Path, kept: Sequence[Mapping[str, Any] | list[Any]]
) -> IncidentInput:
    if not kept:
        raise DataError(f"{path}: nothing in it lies around incident {incident.incident_id}")
    if len(kept) > RECORDS_MAX:
        raise DataError(
            f"{path}: {len(kept)} records lie around incident {incident.incident_id}, at most "
            f"{RECORDS_MAX} are kept with it; leave out metrics that have no part in it"
        )
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return IncidentInput(
        incident_id=incident.incident_id,
        kind=kind,
        name=path.name,
        sha256=sha256,
        records=len(kept),
        content=canonical(kept),
    )
