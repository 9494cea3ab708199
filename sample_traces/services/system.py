"""What a recorded system is made of; each package beside this file holds one as `SYSTEM`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from sample_traces.services.faults import Plan
from sample_traces.services.web import Json

Books = dict[str, dict[str, list[dict[str, Any]]]]
"""Entries by process and page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: the module with its `build`, and who it says it is."""

    module: str
    version: str
    region: str | None = None
    traced: bool = True
    """Whether its requests become SERVER spans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a finished run leaves to tell the truth from."""

    plan: Plan
    books: Books
    submitted_ns: Mapping[int, int]
    ended_ns: Mapping[int, int]
    turned_ns: Mapping[int, int]
    """When feature flags were turned, by the flow that was placed just before."""

    def journals(self, service: str) -> list[dict[str, list[dict[str, Any]]]]:
        """The books of all versions of a service."""
        return [
            book for name, book in sorted(self.books.items()) if name.partition("@")[0] == service
        ]

    def page(self, service: str, page: str) -> list[dict[str, Any]]:
        """One page in the books of all versions of a service, in order of time."""
        entries = [entry for book in self.journals(service) for entry in book.get(page, [])]
        return sorted(entries, key=lambda entry: (entry["time_ns"], entry["seq"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A set of services that make flows together.

    `leader` takes each flow's first request at `path`. `consumers` take their work from queues:
    an old version is stopped when its last flow was placed.
    """

    name: str
    services: Mapping[str, Service]
    leader: str
    path: str
    request: Callable[[Plan, int], Json]
    expected: Callable[[Recording], str]
    decisions: Callable[[Recording, datetime], list[str]]
    consumers: frozenset[str] = frozenset()
    settle_s: float = 3.0
    """How long work may still go on after the last flow was answered."""


def load_system(name: str) -> System:
    """The system in a package of this name."""
    found: System = import_module(f"sample_traces.services.{name}.system").SYSTEM
    return found
