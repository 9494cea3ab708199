"""Ways to read in tests: bytes in, records out."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.limits import Limits
from ingest.pipeline import IngestSettings
from ingest.reader import Item, discover
from store.lease import Store

Read = Callable[..., list[Item]]


@pytest.fixture
def read() -> Read:
    """Read text, bytes or a JSON value as OTLP JSON, or as the format that is named."""

    def read_it(
        data: object, limits: Limits | None = None, reader: str = "otlp_json"
    ) -> list[Item]:
        if not isinstance(data, bytes):
            data = (data if isinstance(data, str) else json.dumps(data)).encode()
        return list(discover()[reader].read(io.BytesIO(data), limits or Limits()))

    return read_it


@pytest.fixture
def settings() -> IngestSettings:
    """Settings with a key of their own."""
    return IngestSettings(redaction_key=b"a key for tests only")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that does not exist yet."""
    return Store(tmp_path / "test.duckdb")
