"""The books a service keeps of what it really did, independent of telemetry."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Book:
    """Append-only lists of entries, each stamped with a sequence number and the time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sequence = 0
        self._pages: dict[str, list[Entry]] = {}
        self._arrivals: Counter[tuple[str, str]] = Counter()

    def write(self, page: str, **fields: Any) -> Entry:
        """Append one entry to a page; the entry may be completed later by its writer."""
        with self._lock:
            self._sequence += 1
            entry: Entry = {"seq": self._sequence, "time_ns": time.time_ns(), **fields}
            self._pages.setdefault(page, []).append(entry)
            return entry

    def arrive(self, operation: str, subject: str, key: str | None) -> int:
        """Note a request; the answer says which one of its operation and subject it is, from 1."""
        with self._lock:
            self._arrivals[(operation, subject)] += 1
            nth = self._arrivals[(operation, subject)]
        self.write("arrivals", operation=operation, subject=subject, key=key, nth=nth)
        return nth

    def page(self, name: str) -> list[Entry]:
        """A copy of one page."""
        with self._lock:
            return list(self._pages.get(name, []))

    def save(self, path: Path) -> None:
        """Write all pages as one JSON document."""
        with self._lock:
            path.write_text(json.dumps(self._pages, sort_keys=True), encoding="utf-8")
