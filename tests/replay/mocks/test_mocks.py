"""Recorded exchanges as files of mocking tools: what they say, read back, replayed."""

import io
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import vcr
from hypothesis import given
from hypothesis import strategies as st

from ingest.limits import Limits
from ingest.readers.har import READER as HAR_READER
from ingest.readers.vcr import READER as VCR_READER
from ingest.readers.wiremock import READER as WIREMOCK_READER
from replay.exchange import Exchange
from replay.mocks import mocks
from store.model import Span
from tests.replay.server.recorded import exchange

READERS = {"har": HAR_READER, "vcr": VCR_READER, "wiremock": WIREMOCK_READER}
ORIGIN_NS = 1_700_000_000_123_456_789
ORDER = '{"order_id": "o-1", "note": "\\u00fc"}'


def written(name: str, *exchanges: Exchange) -> tuple[str, list[str]]:
    text, left_out = mocks()[name].write(exchanges, ORIGIN_NS)
    return text, list(left_out)


def calls(reader: Any, text: str) -> list[Span]:
    """The client spans a reader of ours finds."""
    found = list(reader.read(io.BytesIO(text.encode()), Limits()))
    assert all(isinstance(it, Span) for it in found), found
    return [it for it in found if it.kind == "client"]


def test_the_formats_are_found_by_their_place() -> None:
    assert list(mocks()) == ["har", "vcr", "wiremock"]


@pytest.mark.parametrize("name", sorted(READERS))
def test_what_is_exported_is_read_back_as_the_same_exchange(name: str) -> None:
    text, _ = written(
        name,
        exchange(1, "/charges", '{"id":1}', request=ORDER, status=201, query="a=1&b=%20"),
        exchange(2, "/refunds", "no", method="PUT", status=404),
    )
    first, second = calls(READERS[name], text)
    told = first.attributes
    assert told["http.request.method"] == "POST"
    assert told["url.full"] == "http://shop/charges?a=1&b=%20"
    assert told["http.request.body.content"] == ORDER
    assert told["http.response.body.content"] == '{"id":1}'
    assert told["http.response.status_code"] == 201
    assert second.attributes["http.response.status_code"] == 404


def test_an_archive_keeps_times_to_the_nanosecond_and_requests_without_answer() -> None:
    text, left_out = written(
        "har",
        exchange(1, "/a", after_ms=7),
        exchange(2, "/b", None, status=None, error="timeout", after_ms=300),
    )
    assert left_out == []
    first, second = calls(HAR_READER, text)
    assert first.start_ns == ORIGIN_NS + 100_000_000
    assert first.end_ns == first.start_ns + 7_000_000
    assert "http.response.status_code" not in second.attributes
    assert second.status == "error"


def test_a_cassette_leaves_out_and_names_what_it_has_no_place_for() -> None:
    text, left_out = written(
        "vcr", exchange(1, "/a"), exchange(2, "/b", None, status=None, error="timeout")
    )
    assert left_out == ["POST http://shop/b: no answer (timeout)"]
    assert len(calls(VCR_READER, text)) == 1


def test_vcrpy_itself_replays_our_cassette(tmp_path: Path) -> None:
    text, _ = written(
        "vcr",
        exchange(1, "/charges", status=503, request=ORDER),
        exchange(2, "/charges", '{"id":"ü"}', request=ORDER, status=201),
    )
    cassette = tmp_path / "cassette.yaml"
    cassette.write_text(text)
    recorder = vcr.VCR(record_mode=vcr.mode.NONE, match_on=["method", "uri", "body"])
    with recorder.use_cassette(str(cassette)) as played:
        statuses, bodies = [], []
        for _ in range(2):
            asked = urllib.request.Request("http://shop/charges", data=ORDER.encode())
            try:
                with urllib.request.urlopen(asked, timeout=5) as answer:
                    statuses.append(answer.status)
                    bodies.append(answer.read().decode())
            except urllib.error.HTTPError as refused:
                statuses.append(refused.code)
        assert (statuses, bodies) == ([503, 201], ['{"id":"ü"}'])
        assert played.all_played


def test_equal_requests_are_a_scenario_of_wiremock_and_failures_are_faults() -> None:
    text, _ = written(
        "wiremock",
        exchange(1, "/charges", None, status=None, error="timeout", request=ORDER, after_ms=300),
        exchange(2, "/charges", status=201, request=ORDER),
        exchange(3, "/mail", None, status=None, error="ConnectError"),
    )
    first, second, third = json.loads(text)["mappings"]
    assert first["requiredScenarioState"] == "Started"
    assert first["newScenarioState"] == second["requiredScenarioState"]
    assert first["scenarioName"] == second["scenarioName"]
    assert "newScenarioState" not in second
    assert first["response"] == {"status": 504, "fixedDelayMilliseconds": 600}
    assert second["request"]["bodyPatterns"] == [{"equalToJson": ORDER}]
    assert third["response"] == {"fault": "CONNECTION_RESET_BY_PEER"}
    assert "scenarioName" not in third


def test_answers_of_one_request_are_read_back_from_wiremock_in_their_order() -> None:
    asked = [
        exchange(1, "/charges", None, status=None, error="ConnectError", request=ORDER),
        exchange(2, "/mail", "sent", status=202, after_ms=40),
        exchange(3, "/charges", '{"id":1}', status=503, request=ORDER, after_ms=7),
        exchange(4, "/charges", '{"id":2}', status=201, request=ORDER, after_ms=1_500),
    ]
    document = json.loads(written("wiremock", *asked)[0])
    document["mappings"].reverse()
    found = calls(WIREMOCK_READER, json.dumps(document))
    statuses = [it.attributes.get("http.response.status_code") for it in found]
    assert statuses == [202, None, 503, 201]
    assert [(it.end_ns or 0) - it.start_ns for it in found] == [40_000_000, 1_000_000, 7_000_000,
                                                                1_500_000_000]  # fmt: skip
    assert found[1].status_message == "CONNECTION_RESET_BY_PEER"
    assert all(it.attributes["retrospan.time.synthetic"] is True for it in found)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_body_survives_every_format(request: str, response: str) -> None:
    one = exchange(1, "/a", response, request=request)
    har = json.loads(written("har", one)[0])["log"]["entries"][0]
    assert har["request"]["postData"]["text"] == request
    assert har["response"]["content"]["text"] == response
    mapping = json.loads(written("wiremock", one)[0])["mappings"][0]
    assert mapping["response"]["body"] == response
    for name in ("vcr", "wiremock"):
        (span,) = calls(READERS[name], written(name, one)[0])
        assert span.attributes.get("http.response.body.content", "") == response
        assert span.attributes.get("http.request.body.content", "") == request
