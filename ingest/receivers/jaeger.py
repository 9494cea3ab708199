"""Jaeger Thrift as the legacy decoder reads it; imported only when the first one comes.

The generated types take most of a second to import.
"""

import importlib
from collections.abc import Iterator
from typing import Any

from ingest.limits import Limits
from ingest.reader import Item


def batch(body: bytes, limits: Limits) -> Iterator[Item]:
    """The spans of an HTTP body: one Batch in the binary protocol."""
    items: Iterator[Item] = _decoder().decode_batch(body, limits)
    return items


def datagram(data: bytes, limits: Limits) -> Iterator[Item]:
    """The spans of one emitBatch in the compact protocol."""
    items: Iterator[Item] = _decoder().decode_datagram(data, limits)
    return items


def _decoder() -> Any:
    return importlib.import_module("ingest.legacy.jaeger_batch")
