"""An OpenAPI file as plain values: nothing is run, fetched or expanded beyond a limit."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from store.errors import DataError
from store.model import JsonValue

FILE_BYTES_MAX: Final = 5_000_000
NODES_MAX: Final = 500_000
DEPTH_MAX: Final = 100

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?\Z")
_WORDS: Final[dict[str, JsonValue]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_TEXT_TAG = "tag:yaml.org,2002:str"


def load_file(path: Path) -> dict[str, JsonValue]:
    """The document of a JSON or YAML 1.2 file; DataError names the file, the line, the reason."""
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if len(data) > FILE_BYTES_MAX:
        raise DataError(f"{path}: larger than {FILE_BYTES_MAX:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> dict[str, JsonValue]:
    """The document of a text; `source` names it in errors."""
    value = _json(text, source) if text.lstrip().startswith("{") else _yaml(text, source)
    _measure(value, source)
    if not isinstance(value, dict):
        raise DataError(f"{source}: an OpenAPI file is a map, this is none")
    return value


def _json(text: str, source: str) -> JsonValue:
    def unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"{source}: the name {twice!r:.80} stands twice in one map")
        return found

    def refuse(word: str) -> JsonValue:
        raise DataError(f"{source}: {word} is no JSON")

    try:
        value: JsonValue = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise DataError(f"{source}: line {error.lineno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise DataError(f"{source}: nested deeper than {DEPTH_MAX}") from error
    except ValueError as error:
        raise DataError(f"{source}: not JSON: {error!s:.100}") from error
    return value


class _Open:
    """A map or list that is being read; `key` waits for its value."""

    def __init__(self, event: Any) -> None:
        self.anchor: str | None = event.anchor
        self.items: list[JsonValue] | None = (
            [] if isinstance(event, yaml.SequenceStartEvent) else None
        )
        self.entries: dict[str, JsonValue] = {}
        self.key: str | None = None
        self.size = 1

    def value(self) -> JsonValue:
        return self.entries if self.items is None else self.items


def _yaml(text: str, source: str) -> JsonValue:
    """Read by events: the loader would recurse, run tags and take `no` for false."""
    try:
        return _Reader(source).read(iter(yaml.parse(text, Loader=_PARSER)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark is not None else ""
        said = getattr(error, "problem", None) or " ".join(str(error).split())
        raise DataError(f"{source}: {line}not YAML: {said!s:.150}") from error


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._anchors: dict[str, tuple[JsonValue, int]] = {}
        self._stack: list[_Open] = []
        self._documents: list[JsonValue] = []
        self._size = 0

    def read(self, events: Iterator[Any]) -> JsonValue:
        for event in events:
            if isinstance(event, yaml.CollectionStartEvent):
                self._stack.append(self._opened(event))
            elif isinstance(event, yaml.CollectionEndEvent):
                done = self._stack.pop()
                self._keep(done.anchor, done.value(), done.size)
                self._place(event, done.value(), done.size)
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                known = self._anchors.get(str(event.anchor))
                if known is None:
                    raise self._fault(event, f"no value is called &{event.anchor:.80} before this")
                self._place(event, *known)
        if len(self._documents) != 1:
            raise DataError(f"{self._source}: holds {len(self._documents)} documents, not one")
        return self._documents[0]

    def _opened(self, event: Any) -> _Open:
        if len(self._stack) >= DEPTH_MAX:
            raise self._fault(event, f"nested deeper than {DEPTH_MAX}")
        if self._is_key():
            raise self._fault(event, "a map or list cannot be a name")
        if event.tag is not None and event.tag not in (
            "tag:yaml.org,2002:map",
            "tag:yaml.org,2002:seq",
        ):
            raise self._fault(event, f"the tag {event.tag:.80} is not read")
        return _Open(event)

    def _scalar(self, event: Any) -> None:
        if event.tag not in (None, "!", _TEXT_TAG):
            raise self._fault(event, f"the tag {event.tag:.80} is not read")
        if self._is_key():
            top = self._stack[-1]
            if event.value in top.entries:
                raise self._fault(event, f"the name {event.value!r:.80} stands twice in one map")
            if event.value == "<<" and event.implicit[0]:
                raise self._fault(event, "merge keys (<<) are not part of YAML 1.2")
            top.key = event.value
            return
        plain = event.implicit[0] and event.tag is None
        value = _plain(event.value) if plain else event.value
        self._keep(event.anchor, value, 1)
        self._place(event, value, 1)

    def _is_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].items is None and self._stack[-1].key is None

    def _keep(self, anchor: str | None, value: JsonValue, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, size)

    def _place(self, event: Any, value: JsonValue, size: int) -> None:
        self._size += 1
        if not self._stack:
            self._documents.append(value)
            return
        top = self._stack[-1]
        top.size += size
        if top.size > NODES_MAX or self._size > NODES_MAX:
            raise self._fault(event, f"more than {NODES_MAX:,} values, aliases followed")
        if top.items is not None:
            top.items.append(value)
        elif top.key is None:
            raise self._fault(event, "an alias cannot be a name")
        else:
            top.entries[top.key] = value
            top.key = None

    def _fault(self, event: Any, reason: str) -> DataError:
        return DataError(f"{self._source}: line {event.start_mark.line + 1}: {reason}")


def _plain(text: str) -> JsonValue:
    """An unquoted scalar by the core rules of YAML 1.2 (section 10.3.2)."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


def _measure(value: JsonValue, source: str) -> None:
    stack: list[tuple[JsonValue, int]] = [(value, 1)]
    seen = 0
    while stack:
        one, depth = stack.pop()
        seen += 1
        if seen > NODES_MAX:
            raise DataError(f"{source}: more than {NODES_MAX:,} values")
        if depth > DEPTH_MAX:
            raise DataError(f"{source}: nested deeper than {DEPTH_MAX}")
        if isinstance(one, dict):
            stack.extend((item, depth + 1) for item in one.values())
        elif isinstance(one, list):
            stack.extend((item, depth + 1) for item in one)
