"""Concluded causes kept with their incident, as long as all they rest on is what it was."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from analyzer.code_digest import code_digest
from replay.settings import ReplaySettings
from retrospan.canonical import digest
from store import read
from store.conclusions import Incident
from store.incident_records import KeptCauses, read_causes, read_incident_inputs, write_causes
from store.session import Session

if TYPE_CHECKING:
    from retrospan.edge import Edge

HERE = Path(__file__).resolve().parent
Concluded = TypeVar("Concluded")


def basis_of(session: Session, incident: Incident, settings: ReplaySettings) -> str:
    """A digest of everything that decides which causes an incident has: the data by its generation,
    the code that derived flows and looks for causes, the settings, the incident, its files."""
    counts = read.counts(session)
    inputs = [
        [one.kind, one.name, one.sha256, digest(one.content)]
        for one in read_incident_inputs(session, incident.incident_id)
    ]
    return digest(
        [
            counts.generation,
            counts.underived_traces,
            list(read.read_code_digests(session)),
            code_digest(settings),
            _sources(),
            asdict(incident),
            inputs,
        ]
    )


def keep(
    edge: "Edge", incident: Incident, basis: str, found: object, still: Callable[[Session], str]
) -> None:
    """Keep what was concluded, unless what it rests on (`still`) changed meanwhile."""
    content = msgspec.json.encode(found).decode()
    with edge.lease("keeping an incident's causes") as session:
        if still(session) == basis:
            write_causes(
                session,
                KeptCauses(
                    incident_id=incident.incident_id,
                    generation=read.counts(session).generation,
                    basis=basis,
                    content=content,
                ),
            )


def kept(
    session: Session, incident: Incident, basis: str, shape: type[Concluded]
) -> Concluded | None:
    """What was concluded of an incident from this very basis; None where nothing was."""
    found = read_causes(session).get(incident.incident_id)
    if found is None or found.basis != basis:
        return None
    return msgspec.json.decode(found.content, type=shape)


@lru_cache(maxsize=1)
def _sources() -> str:
    """What the sources are that replay and conclude, those of the analyzer apart."""
    check = hashlib.sha256()
    for path in _files():
        check.update(f"{path.relative_to(HERE.parent).as_posix()}\0".encode())
        check.update(path.read_bytes())
    return check.hexdigest()


def _files() -> Iterator[Path]:
    yield from sorted((HERE.parent / "replay").rglob("*.py"))
    yield from sorted(HERE.glob("causes*.py"))
