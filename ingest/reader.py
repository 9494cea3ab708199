"""What a reader of one format is; how the one for an input is found."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias, runtime_checkable

import ingest.readers
from ingest.limits import Limits
from store.conclusions import Incident
from store.errors import DataError, InvariantError, UsageError
from store.log_table import LogTable
from store.model import Record
from store.span_table import SpanTable

if TYPE_CHECKING:
    from ingest.preparation import Preparation

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class MetricsSeen:
    """Metric data points that were counted, not stored."""

    count: int


Item: TypeAlias = Record | Incident | MetricsSeen


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an input that is still bytes; `make` gives what is in it, on whichever thread.

    Tables are as they are stored; single records are as `Reader.read` gives them.
    """

    make: Callable[["Preparation"], Iterator[Item | SpanTable | LogTable]]


class Reader(Protocol):
    """One format: `ingest/readers/NAME.py` holds one as `READER`, and NAME is its name."""

    name: str

    def sniff(self, head: bytes) -> bool:
        """Whether the first bytes of an input are of this format."""
        ...

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every record in order; a record that cannot be read as Rejected. Never raises on data."""
        ...


@runtime_checkable
class ColumnReader(Protocol):
    """A reader that can also give records column by column, which is faster."""

    def read_columns(
        self, stream: BinaryIO, limits: Limits, piece_bytes: int
    ) -> Iterator[Item | Piece]:
        """What `read` gives, in its order; a piece is at most about `piece_bytes` of the input."""
        ...


@runtime_checkable
class CodedReader(Protocol):
    """A reader of payloads that a team's own codec may have closed."""

    def with_codec(self, url: str) -> Reader:
        """The reader that asks a codec server on this machine. Raises UsageError for another."""
        ...


def coded(readers: Mapping[str, Reader], codec: str) -> dict[str, Reader]:
    """The readers with the codec server at an address, "" for none."""
    if not codec:
        return dict(readers)
    return {
        name: reader.with_codec(codec) if isinstance(reader, CodedReader) else reader
        for name, reader in readers.items()
    }


def discover() -> dict[str, Reader]:
    """Every reader in `ingest/readers/` by name; all that is wrong with them in one error."""
    found: dict[str, Reader] = {}
    wrong = []
    for module in sorted(pkgutil.iter_modules(ingest.readers.__path__), key=lambda m: m.name):
        reader = getattr(importlib.import_module(f"ingest.readers.{module.name}"), "READER", None)
        if reader is None:
            wrong.append(f"ingest/readers/{module.name}.py has no READER")
        elif reader.name != module.name:
            wrong.append(f"ingest/readers/{module.name}.py names its reader {reader.name!r}")
        else:
            found[module.name] = reader
    if wrong:
        raise InvariantError("; ".join(wrong))
    return found


def described(readers: Mapping[str, Reader]) -> dict[str, str]:
    """What each format is, in the words its file begins with."""
    documented = {name: importlib.import_module(f"ingest.readers.{name}") for name in readers}
    return {
        name: str(module.__doc__).strip().partition("\n")[0]
        for name, module in sorted(documented.items())
    }


def named(name: str, readers: Mapping[str, Reader]) -> Reader:
    """The reader a user asked for by `--format`."""
    if name not in readers:
        raise UsageError(f"unknown format {name!r}; the formats are: {', '.join(sorted(readers))}")
    return readers[name]


def claimant(head: bytes, readers: Mapping[str, Reader]) -> Reader | None:
    """The one reader whose format this is; None when there is none."""
    claims = [reader for _, reader in sorted(readers.items()) if reader.sniff(head)]
    if len(claims) > 1:
        names = ", ".join(reader.name for reader in claims)
        raise DataError(f"more than one format fits: {names}; choose one with --format")
    return claims[0] if claims else None
