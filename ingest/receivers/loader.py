"""Spool into store: each segment is one batch, known to the ledger by its identity.

A crash between commit and removal leaves a segment that the ledger knows: it is not loaded again.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from ingest.receivers import frames, segments
from ingest.receivers.deriving import Deriving
from ingest.receivers.spool import Spool
from ingest.records import Records
from ingest.told import told_by
from store.errors import RetrospanError, StoreBusyError
from store.lease import Session, Store
from store.model import Batch
from store.write import ready, write_batch

PURPOSE = "loading what was received"
SOURCE = "serve"
SEGMENTS_PER_TRANSACTION = 8
RETRY_SECONDS = 5.0
IDLE_SECONDS = 0.2
# While segments follow each other and nobody waits the store stays open: closing it costs more
# than a small write.
HELD_SECONDS_MAX = 2.0

Tell = Callable[[str], None]


class Loader:
    """A thread that empties the spool; `after_load` is called when new records are in the store."""

    def __init__(
        self, store: Store, spool: Spool, after_load: Callable[[], None], tell: Tell,
        leaf_key: bytes = b"",
    ) -> None:  # fmt: skip
        self.spans = 0
        self.logs = 0
        self._store, self._spool = store, spool
        self._tell = tell
        self._leaf_key = leaf_key
        self._deriving = Deriving(after_load, tell)
        self._stopping = threading.Event()
        self._failing: set[Path] = set()
        self._retry_at = 0.0
        self._session: Session | None = None
        self._lease = ExitStack()
        self._let_go_at = 0.0
        self._thread = threading.Thread(target=self._run, name="retrospan-loader")
        self._thread.start()

    def stop(self) -> None:
        """Load what the closed spool holds, then end; what cannot be loaded stays there."""
        self._stopping.set()
        self._thread.join()
        self._deriving.stop()

    def _run(self) -> None:
        with self._lease:
            while not self._stopping.is_set():
                paths = self._due(self._spool.sealed(IDLE_SECONDS))
                if not paths:
                    self._let_go()
                    if self._failing:
                        self._stopping.wait(IDLE_SECONDS)
                elif not self._round(paths):
                    self._let_go()
                    self._stopping.wait(RETRY_SECONDS)
            self._retry_at = 0.0
            paths = self._due(self._spool.sealed(0))
            while paths and self._round(paths):
                paths = [path for path in self._spool.sealed(0) if path not in self._failing]
        if left := len(self._spool.sealed(0)):
            self._tell(f"{left} segments stay in {self._spool.folder} until `serve` runs again")

    def _due(self, paths: Sequence[Path]) -> list[Path]:
        """All but those that failed, which are tried again now and then."""
        if time.monotonic() >= self._retry_at:
            return list(paths)
        return [path for path in paths if path not in self._failing]

    def _round(self, paths: Sequence[Path]) -> bool:
        """Load these; False when the store cannot be had at all now."""
        waiting = iter(paths)
        while chosen := list(islice(waiting, SEGMENTS_PER_TRANSACTION)):
            try:
                self._load(chosen)
            except StoreBusyError as error:
                self._tell(f"what was received waits in the spool: {error}")
                return False
            except Exception as error:  # whatever it is, what was acknowledged must not be lost
                self._let_go()
                if len(chosen) == 1:
                    self._failed(chosen[0], error)
                elif not all(self._round([path]) for path in chosen):  # one may be at fault
                    return False
        return True

    def _failed(self, path: Path, error: Exception) -> None:
        self._retry_at = time.monotonic() + RETRY_SECONDS
        if path not in self._failing:
            self._failing.add(path)
            named = str(error) if isinstance(error, RetrospanError) else repr(error)
            self._tell(f"{path.name} waits, it could not be loaded: {named}")

    def _load(self, paths: Sequence[Path]) -> None:
        read = [(path, segments.read(path)) for path in paths]
        batches = [_batch(segment, self._leaf_key) for _, segment in read if segment is not None]
        if batches:
            session = self._leased()
            with session.transaction():
                counts = [write_batch(session, batch) for batch in batches]
            for counted in counts:
                self.spans += counted.spans
                self.logs += counted.logs
            if not all(counted.known_batch for counted in counts):
                self._deriving.ask()
        for path, segment in read:
            damaged = segment.damaged if segment is not None else 0
            if damaged:
                self._tell(f"{path.name} is damaged: {damaged} of its requests are lost; kept")
            self._spool.forget(path, aside=damaged > 0)
            self._failing.discard(path)
        if time.monotonic() >= self._let_go_at or self._store.is_awaited():
            self._let_go()

    def _leased(self) -> Session:
        """The session at hand, or a new one."""
        if self._session is None:
            self._session = self._lease.enter_context(self._store.lease(PURPOSE, create=True))
            self._let_go_at = time.monotonic() + HELD_SECONDS_MAX
        return self._session

    def _let_go(self) -> None:
        """End the lease, if there is one."""
        self._session = None
        self._lease.close()


def _batch(segment: segments.Segment, leaf_key: bytes) -> Batch:
    whole = Records()
    for content in segment.blocks:
        frame = frames.decoded(content)
        whole.spans += frame.spans
        whole.logs += frame.logs
        whole.decisions += frame.decisions
        whole.rejected += frame.rejected
        whole.metrics += frame.metrics
        whole.tables += frame.tables
        whole.log_tables += frame.log_tables
    heading = segment.heading
    batch = Batch(
        source=SOURCE,
        content_sha256=f"{heading.identity}:{segment.end}",
        reader=heading.reader,
        rules_sha256=heading.rules_sha256,
        spans=whole.spans,
        logs=whole.logs,
        decisions=[*whole.decisions, *told_by(whole.spans, whole.tables, whole.logs)],
        rejected=whole.rejected,
        metrics=whole.metrics,
        encoded=whole.tables,
        encoded_logs=whole.log_tables,
        leaf_key=leaf_key,
    )
    return ready(batch)
