"""What the recorder keeps of a body, and that nothing it meets reaches the call."""

import json
import sys
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.code.process import CHILD

sys.path.insert(0, str(CHILD))

from retrospan_child.recorder import Recorder
from retrospan_child.recorder.bodies import Body, Rules

JSON = "application/json"
BODY = "http.request.body.content"


def kept(data: bytes, kind: str = JSON, **options: Any) -> dict[str, Any]:
    body = Body(Rules(**options), kind)
    body.feed(data)
    return body.attributes(BODY)


class FakeSpan:
    """A span that keeps what it is told, as the SDK's does."""

    start_time = 1_000

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self.ends: list[int] = []

    def is_recording(self) -> bool:
        return not self.ends

    def set_attribute(self, name: str, value: Any) -> None:
        assert not self.ends, "an ended span cannot be changed"
        self.attributes[name] = value

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        for name, value in attributes.items():
            self.set_attribute(name, value)

    def end(self, end_time: int | None = None) -> None:
        self.ends.append(end_time or 0)


@pytest.mark.parametrize(
    "name", ["password", "Access_Token", "api_key", "apiKey", "X-Api-Key", "card_number", "cvv"]
)
def test_what_a_key_names_a_secret_is_hidden_however_deep(name: str) -> None:
    told = kept(json.dumps({"a": [{"b": {name: "sesame", "n": 1}}]}).encode())
    assert json.loads(told[BODY]) == {"a": [{"b": {name: "[redacted]", "n": 1}}]}


def test_rules_of_the_team_come_on_top_and_an_idempotency_key_is_no_secret() -> None:
    data = json.dumps({"iban": "DE1", "idempotency_key": "k-1", "password": "p"}).encode()
    told = json.loads(kept(data, redact=("iban",))[BODY])
    assert told == {"iban": "[redacted]", "idempotency_key": "k-1", "password": "[redacted]"}


def test_equal_secrets_get_equal_tokens_under_a_key_and_others_do_not() -> None:
    def token(value: str, key: str) -> Any:
        return json.loads(kept(json.dumps({"pin": value}).encode(), key=key)[BODY])["pin"]

    assert token("1234", "one") == token("1234", "one")
    assert len({token("1234", "one"), token("1235", "one"), token("1234", "two")}) == 3
    assert "1234" not in token("1234", "one")


def test_forms_and_events_are_searched_too() -> None:
    form = kept(b"user=ann&password=sesame", "application/x-www-form-urlencoded; charset=utf-8")
    assert form[BODY] == "user=ann&password=%5Bredacted%5D"
    events = b'event: x\ndata: {"token": "t", "n": 1}\n\ndata: [DONE]\n\n'
    told = kept(events, "text/event-stream")[BODY]
    assert told == 'event: x\ndata: {"token": "[redacted]", "n": 1}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"password": "sesame"', JSON),
        (b"\xff\xfe\x00", JSON),
        (b"\x89PNG\r\n", "image/png"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', JSON),
        (b"[" * 100_000 + b"]" * 100_000, JSON),
    ],
)
def test_what_cannot_be_searched_is_not_kept_but_its_digest_is(data: bytes, kind: str) -> None:
    told = kept(data, kind, body_bytes_max=300_000 if data[:2] == b"[[" else 64_000)
    assert BODY not in told
    assert told["retrospan.body.truncated"] is True
    assert len(told["retrospan.body.sha256"]) == 64


def test_what_is_too_deep_is_cut_and_says_so() -> None:
    told = kept(b'{"a": {"b": {"c": {"password": "sesame"}}}}', depth_max=2)
    assert json.loads(told[BODY]) == {"a": {"b": "[too deep]"}}
    assert told["retrospan.body.truncated"] is True


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["password", "a", "b"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_a_body_without_secrets_is_kept_as_it_was_and_one_with_them_has_none_left(
    value: Any,
) -> None:
    text = json.dumps(value)
    told = kept(text.encode()).get(BODY)
    if '"password"' not in text:
        assert told == text
    else:
        assert told is not None
        assert hidden(json.loads(told))


def hidden(value: Any) -> bool:
    if isinstance(value, dict):
        return all(
            item in (None, "[redacted]") if name == "password" else hidden(item)
            for name, item in value.items()
        )
    return all(map(hidden, value)) if isinstance(value, list) else True


def test_the_span_of_a_stream_ends_with_the_stream_and_at_the_time_it_would_have() -> None:
    recorder, span = Recorder(), FakeSpan()

    class Owner:
        """Holds the body."""

    owner = Owner()
    stream = recorder.streaming(span, "text/event-stream", owner)
    span.end(77)
    assert span.ends == []
    stream.feed(b"data: one\n")
    stream.feed(b"\ndata: two\n\n")
    stream.finish()
    assert span.ends == [77]
    assert span.attributes["http.response.body.content"] == "data: one\n\ndata: two\n\n"
    assert len(span.attributes["retrospan.stream.event_ns"]) == 2


def test_a_stream_that_nobody_reads_still_ends_its_span() -> None:
    recorder, span = Recorder(), FakeSpan()

    class Owner:
        """Holds the body."""

    owner = Owner()
    recorder.streaming(span, JSON, owner)
    span.end(77)
    del owner
    assert span.ends == [77]


def test_an_error_of_the_recorder_is_counted_and_does_not_reach_the_call() -> None:
    recorder = Recorder()

    class Broken:
        """No request of any client."""

        @property
        def headers(self) -> Any:
            raise RuntimeError("broken")

    for hooks in (recorder.httpx(), recorder.requests()):
        hooks["request_hook"](FakeSpan(), Broken())
        hooks["response_hook"](FakeSpan(), Broken(), Broken())
    assert sum(recorder.errors.values()) == 4
    recorder.httpx()["request_hook"](None, Broken())
    assert sum(recorder.errors.values()) == 4


def test_a_streamed_request_is_left_to_its_caller() -> None:
    recorder, span = Recorder(), FakeSpan()

    class Request:
        """A request whose body is a generator."""

        def __init__(self) -> None:
            self.headers = {"content-type": JSON}
            self.body: Iterator[bytes] = iter([b"one", b"two"])

    request = Request()
    recorder.requests()["request_hook"](span, request)
    assert list(request.body) == [b"one", b"two"]
    assert BODY not in span.attributes
    assert recorder.errors == {}


def test_a_flow_that_ends_elsewhere_than_it_began_is_counted_and_reaches_nobody() -> None:
    recorder, span = Recorder(), FakeSpan()
    flow = recorder.flow(span)
    copy_context().run(flow.__enter__)
    flow.__exit__(None, None, None)
    assert recorder.errors == {"end of a flow ValueError": 1}
