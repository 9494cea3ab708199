"""Inputs into the store: threads make the next batches while the last ones are written."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import BinaryIO

from ingest.ahead import ahead
from ingest.known import KnownInputs
from ingest.pieces import Makers
from ingest.progress import Progress, Telling
from ingest.reading import Reading, Ready
from ingest.report import IngestReport, Skipped
from ingest.settings import IngestSettings
from ingest.sources import Source, sources_of
from store.lease import Store
from store.write import write_batch

__all__ = ["IngestSettings", "Progress", "ingest_paths"]

PURPOSE = "ingest"
BATCHES_AHEAD_MAX = 2


def ingest_paths(
    store: Store,
    paths: Sequence[str],
    settings: IngestSettings,
    progress: Callable[[Progress], None] | None = None,
    stdin: BinaryIO | None = None,
) -> IngestReport:
    """Load every input; what cannot be read is in the report, what was good is in the store.

    `progress` is called from the thread that reads.
    """
    sources = list(sources_of(paths, store.path))
    files = [source for source in sources if isinstance(source, Source)]
    known = KnownInputs(store, files, settings.rejected_listed_max)
    makers = Makers(settings.preparation)
    reading = Reading(settings, Telling(progress, files), known, makers)

    def batches() -> Iterator[Ready]:
        for source in sources:
            if isinstance(source, Skipped):
                reading.report.skipped.append(source)
            else:
                yield from reading.batches(source, stdin)

    with closing(known), closing(makers), closing(ahead(batches(), BATCHES_AHEAD_MAX)) as found:
        for group in _worth_a_lease(found, settings):
            _write(store, group)
    return reading.report


def _worth_a_lease(found: Iterator[Ready], settings: IngestSettings) -> Iterator[list[Ready]]:
    """Batches together, as many as one lease may write."""
    group: list[Ready] = []
    records = size = 0
    for one in found:
        group.append(one)
        records, size = records + one.records, size + one.size_bytes
        if records >= settings.records_per_lease or size > settings.bytes_per_lease:
            yield group
            group, records, size = [], 0, 0
    if group:
        yield group


def _write(store: Store, group: Sequence[Ready]) -> None:
    """All of a group or nothing; counted when it is stored."""
    with store.lease(PURPOSE, create=True) as session, session.transaction():
        counts = [write_batch(session, one.batch) for one in group]
    for one, counted in zip(group, counts, strict=True):
        one.report.add(counted)
