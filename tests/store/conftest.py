"""A fresh store per test, and short ways to make records."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from store.lease import Session, Store
from store.model import Batch, Span

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's store is, or will be."""
    return tmp_path / "retrospan.duckdb"


@pytest.fixture
def session(path: Path) -> Iterator[Session]:
    """A lease on an empty store."""
    with Store(path).lease("test", create=True) as session:
        yield session


@pytest.fixture
def span() -> Callable[..., Span]:
    """Make a finished span; keywords change fields."""

    def make(span_id: int = 1, **fields: Any) -> Span:
        plain: dict[str, Any] = {
            "trace_id": TRACE,
            "span_id": f"{span_id:016x}",
            "parent_span_id": None,
            "name": "POST /payments",
            "kind": "server",
            "service": "payments",
            "start_ns": 1_700_000_000_000_000_000,
            "end_ns": 1_700_000_000_050_000_000,
        }
        return Span(**(plain | fields))

    return make


@pytest.fixture
def batch() -> Callable[..., Batch]:
    """Make a batch with a content of its own."""
    made = 0

    def make(*spans: Span, **fields: Any) -> Batch:
        nonlocal made
        made += 1
        plain: dict[str, Any] = {
            "source": f"{made}.json",
            "content_sha256": f"{made:064x}",
            "reader": "otlp/1",
            "rules_sha256": "0",
            "spans": spans,
        }
        return Batch(**(plain | fields))

    return make
