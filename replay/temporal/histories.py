"""Histories in files, with the id of the flow that ingest makes of each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.history.events import events_of, histories_in
from ingest.history.run import run_of
from ingest.jsonstream import documents
from ingest.limits import Limits
from ingest.reader import HEAD_BYTES
from ingest.readers.temporal import GRAMMAR, READER
from store.errors import DataError
from store.model import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedHistory:
    """The events of one run as they were written, and where.

    `redacted` is how many of its values are tokens in the place of what was there.
    """

    flow_id: str
    workflow_id: str
    place: str
    events: list[object]
    redacted: int = 0


def histories_of(paths: Iterable[Path], limits: Limits | None = None) -> Iterator[RecordedHistory]:
    """Every history of files, and of the .json files in folders that are histories, by name.

    Raises DataError for a file that cannot be read, or was named and holds no history.
    """
    for path in paths:
        files = list(_histories_in(path)) if path.is_dir() else [path]
        if not files:
            raise DataError(f"{path}: the folder holds no history of Temporal")
        for file in files:
            yield from _of_file(file, limits or Limits())


def _histories_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.json")):
        with path.open("rb") as stream:
            if READER.sniff(stream.read(HEAD_BYTES)):
                yield path


def _of_file(path: Path, limits: Limits) -> Iterator[RecordedHistory]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    count = 0
    with stream:
        for found in documents(stream, limits, GRAMMAR):
            if isinstance(found, Rejected):
                raise DataError(f"{path}, {found.record}: {found.reason}")
            for history in histories_in(found.value, f"line {found.line}"):
                if isinstance(history, Rejected):
                    raise DataError(f"{path}, {history.record}: {history.reason}")
                events = []
                for event in events_of(history):
                    if isinstance(event, Rejected):
                        raise DataError(f"{path}, {event.record}: {event.reason}")
                    events.append(event)
                run = run_of(history, events)
                count += 1
                yield RecordedHistory(
                    flow_id=f"wf:{run.workflow_id}/{run.run_id}",
                    workflow_id=run.workflow_id,
                    place=f"{path}, {history.place}",
                    events=history.events,
                )
    if not count:
        raise DataError(f"{path}: holds no history")
