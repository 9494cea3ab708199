"""Spool into store: each segment is one batch, known to the ledger by its identity.

A crash between commit and removal leaves a segment that the ledger knows: it is not loaded again.
"""

import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from ingest.receivers import frames, segments
from ingest.receivers.frames import Frame
from ingest.receivers.spool import Spool
from ingest.told import told_by
from store.errors import RetrospanError, StoreBusyError
from store.lease import Store
from store.model import Batch
from store.write import write_batch

PURPOSE = "loading what was received"
SOURCE = "serve"
SEGMENTS_PER_LEASE = 4
RETRY_SECONDS = 5.0
# Deriving takes at most one part in this many of the time, however large the store.
AFTER_LOAD_SHARE = 4

Tell = Callable[[str], None]


class Loader:
    """A thread that empties the spool; `after_load` is called when new records are in the store.

    On this thread, because what arrives while flows are derived makes them be derived again.
    """

    def __init__(
        self, store: Store, spool: Spool, after_load: Callable[[], None], tell: Tell
    ) -> None:
        self.spans = 0
        self.logs = 0
        self._store, self._spool = store, spool
        self._after_load, self._tell = after_load, tell
        self._stopping = threading.Event()
        self._changed = False
        self._rest_until = 0.0
        self._failing: set[Path] = set()
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._run, name="retrospan-loader")
        self._thread.start()

    def stop(self) -> None:
        """Load what the closed spool holds, then end; what cannot be loaded stays there."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            paths = self._due(self._spool.sealed(0.2))
            if not paths or not self._round(paths):
                self._stopping.wait(0.2 if not paths else RETRY_SECONDS)
            if self._changed and time.monotonic() >= self._rest_until:
                self._derive()
        self._retry_at = 0.0
        paths = self._due(self._spool.sealed(0))
        while paths and self._round(paths):
            paths = [path for path in self._spool.sealed(0) if path not in self._failing]
        if self._changed:
            self._derive()
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
        while chosen := list(islice(waiting, SEGMENTS_PER_LEASE)):
            try:
                self._load(chosen)
            except StoreBusyError as error:
                self._tell(f"what was received waits in the spool: {error}")
                return False
            except Exception as error:  # whatever it is, what was acknowledged must not be lost
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
        batches = [_batch(segment) for _, segment in read if segment is not None]
        if batches:
            with self._store.lease(PURPOSE, create=True) as session:
                for batch in batches:
                    counts = write_batch(session, batch)
                    self.spans += counts.spans
                    self.logs += counts.logs
                    self._changed |= not counts.known_batch
        for path, segment in read:
            damaged = segment.damaged if segment is not None else 0
            if damaged:
                self._tell(f"{path.name} is damaged: {damaged} of its requests are lost; kept")
            self._spool.forget(path, aside=damaged > 0)
            self._failing.discard(path)

    def _derive(self) -> None:
        began = time.monotonic()
        self._changed = False
        try:
            self._after_load()
        except Exception as error:
            self._changed = True  # tried again after a rest
            self._tell(f"deriving failed, tried again later: {error}")
        took = time.monotonic() - began
        self._rest_until = began + took * AFTER_LOAD_SHARE
        if self._changed:
            self._rest_until += RETRY_SECONDS


def _batch(segment: segments.Segment) -> Batch:
    whole = Frame()
    for content in segment.blocks:
        frame = frames.decoded(content)
        whole.spans += frame.spans
        whole.logs += frame.logs
        whole.decisions += frame.decisions
        whole.rejected += frame.rejected
        whole.metrics += frame.metrics
    heading = segment.heading
    return Batch(
        source=SOURCE,
        content_sha256=f"{heading.identity}:{segment.end}",
        reader=heading.reader,
        rules_sha256=heading.rules_sha256,
        spans=whole.spans,
        logs=whole.logs,
        decisions=[*whole.decisions, *told_by(whole.spans)],
        rejected=whole.rejected,
        metrics=whole.metrics,
    )
