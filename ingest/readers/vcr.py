"""Cassettes of recorded HTTP calls: VCR, vcrpy, betamax, go-vcr, in YAML or JSON."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from ingest.cassettes import interactions_in, spans_of
from ingest.jsonstream import UndecodableError, decode_plain
from ingest.limits import Limits, excerpt_of
from ingest.reader import Item
from ingest.safe_yaml import BadYamlError, load
from store.model import Rejected

_YAML = re.compile(rb"(?m)^(?:http_)?interactions[ \t]*:")
_JSON = re.compile(
    rb'"(?:http_)?interactions"\s*:\s*\['
    # One response alone, as some recorders keep it.
    rb'|\A\s*\{\s*"status"\s*:\s*\d{3}\s*,\s*"headers"\s*:\s*\{'
)
_ITEM = re.compile(rb"(?m)^ {0,2}- (?=\w)")


class VcrReader:
    """Reads cassettes; what has no times gets a made-up order, and says so."""

    name = "vcr"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the list of interactions."""
        return b"\0" not in head and bool(_YAML.search(head) or _JSON.search(head))

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """The spans of the cassette."""
        data = _all(stream, limits.document_bytes + 1)
        if len(data) > limits.document_bytes:
            reason = f"document is larger than document_bytes = {limits.document_bytes}"
            yield Rejected(record="line 1", reason=reason, excerpt=excerpt_of(data))
            return
        try:
            values = _values(data, limits)
        except (BadYamlError, UndecodableError) as error:
            yield from _piecewise(data, str(error), limits)
            return
        for index, value in enumerate(values):
            place = "line 1" if len(values) == 1 else f"document {index + 1}"
            found = interactions_in(value)
            if found is None:
                reason = "no cassette: expected interactions or http_interactions"
                yield Rejected(record=place, reason=reason)
            else:
                yield from spans_of(found, place, limits)


def _all(stream: BinaryIO, size_max: int) -> bytes:
    parts, size = [], 0
    while size < size_max:
        part = stream.read(min(1024 * 1024, size_max - size))
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _values(data: bytes, limits: Limits) -> list[object]:
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        try:
            value = decode_plain(data.removeprefix(b"\xef\xbb\xbf"))
        except UndecodableError:
            return load(data, limits)
        return list(value) if isinstance(value, list) else [value]
    return load(data, limits)


def _piecewise(data: bytes, reason: str, limits: Limits) -> Iterator[Item]:
    """A cassette that is broken somewhere: its items one by one, the good ones kept."""
    starts = [match.start() for match in _ITEM.finditer(data)]
    good: list[object] = []
    refused: list[Rejected] = []
    ends = [*starts, len(data)][1:]
    for start, end in zip(starts, ends, strict=False):
        piece = data[start:end]
        try:
            (value,) = load(piece, limits)
            good += value if isinstance(value, list) else []
        except (BadYamlError, ValueError) as error:
            line = data.count(b"\n", 0, start) + 1
            refused.append(
                Rejected(record=f"line {line}", reason=str(error), excerpt=excerpt_of(piece))
            )
    if not good:
        yield Rejected(record="line 1", reason=reason, excerpt=excerpt_of(data))
        return
    yield from refused or [Rejected(record="line 1", reason=reason, excerpt=excerpt_of(data))]
    yield from spans_of(good, "line 1", limits)


READER = VcrReader()
