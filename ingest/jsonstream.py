"""JSON documents out of a byte stream: lines, pretty-printed or joined, good ones never lost."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from ingest.limits import Limits, excerpt_of
from store.model import Rejected

# A malformed document may hide good ones behind it: that often we look again, then give up.
RESCANS_MAX = 64
ENDS_INSIDE = "the input ends inside a JSON document"

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BOM = b"\xef\xbb\xbf"
_plain = msgspec.json.Decoder()


class UndecodableError(ValueError):
    """Raised when bytes are no JSON document; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Document:
    """One decoded document; `line` is the line it starts on, from 1."""

    line: int
    value: object


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a format decodes one document; what tells its documents from parts of others."""

    decode: Callable[[bytes], object]
    is_document: Callable[[object], bool]


def decode_plain(data: bytes) -> object:
    """Decode by msgspec; what it refuses for one odd number or letter is read leniently."""
    try:
        value: object = _plain.decode(data)
        return value
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        return decode_leniently(data, str(error))


def decode_leniently(data: bytes, reason: str) -> object:
    """Accept NaN, 1e999, lone surrogates, bad UTF-8: one odd value must not lose a document."""
    try:
        return _scrubbed(json.loads(data.decode("utf-8", "replace")))
    except RecursionError as error:
        raise UndecodableError("nested too deeply to be read") from error
    except ValueError as error:
        raise UndecodableError(reason) from error


def _scrubbed(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8") if not value.isascii() else value
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    if isinstance(value, dict):
        return {str(_scrubbed(key)): _scrubbed(item) for key, item in value.items()}
    return value


def documents(stream: BinaryIO, limits: Limits, grammar: Grammar) -> Iterator[Document | Rejected]:
    """Every document of the stream in order; what is none, as Rejected with line and reason."""
    return _Splitter(stream, limits, grammar).run()


def entries(
    stream: BinaryIO, limits: Limits, grammar: Grammar
) -> Iterator[tuple[str, object] | Rejected]:
    """Every document with its place; of an array, every element, as `line 1 [0]`."""
    for found in documents(stream, limits, grammar):
        if isinstance(found, Rejected):
            yield found
        elif isinstance(found.value, list):
            for index, value in enumerate(found.value):
                yield f"line {found.line} [{index}]", value
        else:
            yield f"line {found.line}", found.value


def _balance(line: bytes) -> int | None:
    """Opened minus closed brackets; None when a string is left open (no JSON has that)."""
    bare = _STRING.sub(b"", line)
    if b'"' in bare:
        return None
    opened = bare.count(b"{") + bare.count(b"[")
    return opened - bare.count(b"}") - bare.count(b"]")


class _Splitter:
    """One pass over a stream; holds the document that is being collected, `block`."""

    def __init__(self, stream: BinaryIO, limits: Limits, grammar: Grammar) -> None:
        self.stream, self.limits, self.grammar = stream, limits, grammar
        self.block: list[bytes] = []
        self.block_bytes = 0
        self.start = 0
        self.depth = 0
        self.restart: int | None = None  # index in block of a line that may begin a document
        self.skipping = False  # inside the rest of a refused pretty-printed document
        self.by_line = False  # whole documents came on single lines before
        self.again: deque[tuple[int, bytes]] = deque()
        self.rescans = 0
        self.number = 0

    def run(self) -> Iterator[Document | Rejected]:
        while True:
            yield from self._pass()
            if not self.block:
                return
            yield self._refused(ENDS_INSIDE)
            if not self._look_again():
                return

    def _pass(self) -> Iterator[Document | Rejected]:
        for number, line in self._lines():
            if line is None:
                yield Rejected(
                    record=f"line {number}",
                    reason=f"line is longer than line_bytes = {self.limits.line_bytes}",
                )
                self._forget()
            elif self.block:
                yield from self._inside(number, line)
            else:
                yield from self._outside(number, line)

    def _lines(self) -> Iterator[tuple[int, bytes | None]]:
        limit = self.limits.line_bytes
        while True:
            if self.again:
                yield self.again.popleft()
                continue
            line = self.stream.readline(limit + 1)
            if not line:
                return
            self.number += 1
            if self.number == 1 and line.startswith(_BOM):
                line = line[len(_BOM) :]
            if len(line) <= limit:
                yield self.number, line
                continue
            while line and not line.endswith(b"\n"):
                line = self.stream.readline(1024 * 1024)
            yield self.number, None

    def _outside(self, number: int, line: bytes) -> Iterator[Document | Rejected]:
        body = line.strip()
        if not body:
            return
        if self.skipping and line[:1] not in (b"{", b"["):
            return
        self.skipping = False
        try:
            value = self.grammar.decode(body)
        except UndecodableError as error:
            yield from self._opened(number, line, body, str(error))
            return
        self.by_line = True
        yield Document(number, value)

    def _opened(
        self, number: int, line: bytes, body: bytes, reason: str
    ) -> Iterator[Document | Rejected]:
        depth = _balance(body)
        if depth is None and body[:1] in (b"{", b"["):
            reason = "a JSON string is not closed"
        if depth is None or depth < 0 or body[:1] not in (b"{", b"["):
            yield Rejected(
                record=f"line {number}", reason=_worded(reason), excerpt=excerpt_of(body)
            )
        elif depth == 0:
            yield from self._joined(number, body, reason)
        else:
            self.block, self.block_bytes, self.start = [line], len(line), number
            self.depth, self.restart = depth, None

    def _inside(self, number: int, line: bytes) -> Iterator[Document | Rejected]:
        if line[:1] == b"{":
            fresh = self._fresh(line)
            if fresh is not None or (self.by_line and len(self.block) == 1):
                yield self._refused("a JSON document is not closed")
                self.again.appendleft((number, line))
                self._look_again()
                return
            if self.restart is None:
                self.restart = len(self.block)
        depth = _balance(line)
        self.block.append(line)
        self.block_bytes += len(line)
        if depth is None:
            yield from self._give_up("a JSON string is not closed")
        elif self.block_bytes > self.limits.document_bytes:
            limit = self.limits.document_bytes
            yield from self._give_up(f"document is larger than document_bytes = {limit}")
        elif self.depth + depth < 0:
            yield from self._give_up("more brackets are closed than opened")
        else:
            self.depth += depth
            if self.depth == 0:
                body, start = b"".join(self.block).strip(), self.start
                self._forget()
                yield from self._joined(start, body, "")

    def _fresh(self, line: bytes) -> object | None:
        """The document on this line when it is a whole one: then the open block is broken."""
        body = line.strip()
        if body[-1:] != b"}":
            return None
        try:
            value = self.grammar.decode(body)
        except UndecodableError:
            return None
        return value if self.grammar.is_document(value) else None

    def _joined(self, number: int, body: bytes, reason: str) -> Iterator[Document | Rejected]:
        """One document, or several written one behind the other."""
        if not reason:
            try:
                yield Document(number, self.grammar.decode(body))
                return
            except UndecodableError as error:
                reason = str(error)
        text = body.decode("utf-8", "replace")
        at, decoder = 0, json.JSONDecoder()
        while at < len(text):
            try:
                _, end = decoder.raw_decode(text, at)
                value = self.grammar.decode(text[at:end].encode("utf-8", "replace"))
            except (ValueError, RecursionError) as error:
                reason = str(error) if at else reason
                line = number + text.count("\n", 0, at)
                rest = text[at : at + 1000].encode("utf-8", "replace")
                yield Rejected(
                    record=f"line {line}", reason=_worded(reason), excerpt=excerpt_of(rest)
                )
                return
            yield Document(number + text.count("\n", 0, at), value)
            at = end
            while at < len(text) and text[at].isspace():
                at += 1

    def _give_up(self, reason: str) -> Iterator[Rejected]:
        yield self._refused(reason)
        self.skipping = not self._look_again()

    def _look_again(self) -> bool:
        """Forget the block; read it again from where a document may begin, if there is such."""
        restart, block, start = self.restart, self.block, self.start
        self._forget()
        if restart is None or self.rescans >= RESCANS_MAX:
            return False
        self.rescans += 1
        self.again.extendleft(reversed(list(enumerate(block[restart:], start + restart))))
        return True

    def _refused(self, reason: str) -> Rejected:
        return Rejected(
            record=f"line {self.start}", reason=_worded(reason), excerpt=excerpt_of(self.block[0])
        )

    def _forget(self) -> None:
        self.block, self.block_bytes, self.depth, self.restart = [], 0, 0, None


def _worded(reason: str) -> str:
    text = reason.removeprefix("JSON is malformed: ")
    return (
        text
        if text.startswith(("a JSON", "the input", "document", "more", "nested"))
        else (f"not JSON: {text}")
    )
