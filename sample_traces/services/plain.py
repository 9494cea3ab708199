"""The same recording as a system without retrospan's attributes would have sent it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sample_traces.services.sink import FILES, write_lines

PREFIX = "retrospan."


def strip(value: Any) -> Any:
    """Drop every attribute and every log record of ours from an OTLP/JSON document."""
    if isinstance(value, list):
        return [strip(item) for item in value if not _ours(item)]
    if isinstance(value, dict):
        return {name: strip(item) for name, item in value.items()}
    return value


def _ours(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    names = (str(item.get("key", "")), str(item.get("eventName", "")))
    return any(name.startswith(PREFIX) for name in names)


def read_lines(path: Path) -> Iterator[Any]:
    """The documents of a gzipped JSON lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def strip_sample(source: Path, target: Path) -> None:
    """Derive the plain sample; the truth stays the same, the decision log is not there."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES.values():
        documents = (strip(document) for document in read_lines(source / name))
        write_lines(target / name, (json.dumps(each, separators=(",", ":")) for each in documents))
    truth = (source / "expected.toml").read_text(encoding="utf-8")
    renamed = truth.replace(
        f'sample = "{source.name}"', f'sample = "{target.name}"\nderived_from = "{source.name}"'
    )
    (target / "expected.toml").write_text(renamed, encoding="utf-8")
