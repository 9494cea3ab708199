"""YAML that remembers its lines, so that a complaint can name the place.

Read safely: no tags but the standard ones, no aliases (a few lines of them expand without bound),
limits on bytes, nodes and depth.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from store.errors import DataError

BYTES_MAX = 1_000_000
NODES_MAX = 100_000
DEPTH_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A YAML document as plain values, with the line of each path in it. Lines count from 1."""

    path: Path
    value: Any
    lines: Mapping[tuple[str | int, ...], int]

    def at(self, *place: str | int) -> str:
        """`FILE:LINE` of a path in the document, or of its nearest ancestor that is there."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.path}:{self.lines.get(place, 1)}"


def documents(path: Path) -> Iterator[Located]:
    """The documents of a file; one that is a list gives its elements.

    Raises DataError naming file, line and reason.
    """
    try:
        data = path.read_bytes()
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    if len(data) > BYTES_MAX:
        raise DataError(f"{path} has {len(data)} bytes; at most {BYTES_MAX} are read")
    try:
        yield from _documents(path, text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark is not None else str(path)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise DataError(f"{place}: no YAML: {reason}") from None


def _documents(path: Path, text: str) -> Iterator[Located]:
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            mark = event.start_mark
            place = path if mark is None else f"{path}:{mark.line + 1}"
            raise DataError(f"{place}: aliases (*name) are not read")
    for node in yaml.compose_all(text, yaml.SafeLoader):
        if node.tag == "tag:yaml.org,2002:null":
            continue
        elements = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for element in elements:
            lines: dict[tuple[str | int, ...], int] = {}
            value = _plain(path, element, (), lines)
            yield Located(path=path, value=value, lines=lines)


def _plain(
    path: Path,
    node: yaml.Node,
    place: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
) -> Any:
    line = node.start_mark.line + 1
    lines[place] = line
    if len(lines) > NODES_MAX or len(place) > DEPTH_MAX:
        raise DataError(f"{path}:{line}: more than {NODES_MAX} values, or deeper than {DEPTH_MAX}")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in found:
                raise DataError(f"{path}:{key_node.start_mark.line + 1}: {key} is given twice")
            found[key] = _plain(path, value_node, (*place, key), lines)
            lines[(*place, key)] = key_node.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(path, entry, (*place, at), lines) for at, entry in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    """Text stays text where YAML would make a date of it: dates carry no time zone."""
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
    loader = yaml.SafeLoader("")
    return loader.construct_object(node, deep=True)


def text_of(located: Located, *place: str | int) -> str:
    """The text at a path; raises DataError where there is none."""
    value = value_of(located.value, *place)
    if not isinstance(value, str) or not value:
        raise DataError(f"{located.at(*place)}: {'.'.join(map(str, place))} must be a text")
    return value


def value_of(value: Any, *place: str | int) -> Any:
    """What lies at a path, None where there is nothing."""
    for step in place:
        if isinstance(step, int):
            inside = isinstance(value, Sequence) and not isinstance(value, str)
            value = value[step] if inside and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value
