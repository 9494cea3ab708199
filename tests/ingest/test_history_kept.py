"""Histories are kept with their workflow's span, open to redaction, and come back whole."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.history.kept import HISTORY, LEFT_OUT, TOKEN, keep, restore
from ingest.limits import Limits
from ingest.pipeline import IngestSettings, ingest_paths
from ingest.reader import discover
from store import read
from store.lease import Store
from store.model import Span
from tests.ingest.histories import event, order

CARD = "4111111111111111"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def packed(encoding: str, data: bytes) -> dict[str, Any]:
    name = base64.b64encode(encoding.encode()).decode()
    return {"metadata": {"encoding": name}, "data": base64.b64encode(data).decode()}


def root_of(history: object, limits: Limits | None = None) -> Span:
    items = discover()["temporal"].read(
        io.BytesIO(json.dumps({"events": history}).encode()), limits or Limits()
    )
    return next(
        item
        for item in items
        if isinstance(item, Span) and "retrospan.flow.name" in item.attributes
    )


@given(VALUES)
def test_payloads_come_back_with_the_same_value(value: Any) -> None:
    events: list[object] = [{"eventId": "1", "x": packed("json/plain", json.dumps(value).encode())}]
    text, why = keep(events)
    assert why == ""
    (back,) = restore(text)
    assert isinstance(back, dict)
    assert back["x"]["metadata"] == {"encoding": base64.b64encode(b"json/plain").decode()}
    assert json.loads(base64.b64decode(back["x"]["data"])) == value


def test_text_and_what_is_encrypted_come_back_as_they_were() -> None:
    events: list[object] = [
        {"a": packed("binary/plain", "grüß dich".encode())},
        {"b": packed("binary/encrypted", b"\x00\xff")},
        {"c": {"metadata": {"encoding": base64.b64encode(b"binary/null").decode()}}},
    ]
    text, why = keep(events)
    assert why == ""
    assert restore(text) == events


@pytest.mark.parametrize(
    ("encoding", "data"),
    [("binary/protobuf", b"card 4111111111111111"), ("binary/plain", b"\xff\xfe"),
     ("json/plain", b"{not json")],
)  # fmt: skip
def test_what_redaction_cannot_read_is_not_kept(encoding: str, data: bytes) -> None:
    text, why = keep([{"a": packed(encoding, data)}])
    assert text == ""
    assert why == f"payloads are {encoding}, which redaction cannot read"


def test_a_history_that_is_too_long_is_left_out_and_said_so() -> None:
    root = root_of(order(), Limits(attribute_chars=1_000))
    assert HISTORY not in root.attributes
    assert root.attributes[LEFT_OUT] == "it is longer than 1000 characters"


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="another version"):
        restore('{"format":2,"events":[]}')


def test_a_secret_in_a_payload_is_redacted_in_what_is_kept(tmp_path: Path) -> None:
    history = order()
    history.append(
        event(
            99, "WorkflowExecutionSignaled", signalName="pay",
            input={"payloads": [packed("json/plain", json.dumps({"card": CARD}).encode())]},
        )
    )  # fmt: skip
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"events": history}))
    store = Store(tmp_path / "x.duckdb")
    ingest_paths(store, [str(path)], IngestSettings(redaction_key=b"a key for tests only"))
    with store.lease("reading") as session:
        (text,) = [
            str(span.attributes[HISTORY])
            for span in read.read_spans(session)
            if HISTORY in span.attributes
        ]
    assert CARD not in text
    assert base64.b64encode(json.dumps({"card": CARD}).encode()).decode() not in text
    assert TOKEN in text
    assert len(restore(text)) == len(history)
