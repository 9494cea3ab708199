"""Decision logs: exact times, exact numbers, clear refusals."""

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decision_record import json_schema
from ingest.readers.decisions import READER, time_ns_of
from store.model import Decision, Rejected

LEAST: dict[str, Any] = {
    "schema": "retrospan.decision/1",
    "decision_id": "d-1",
    "time": "2026-11-22T10:11:12.123456789Z",
    "chosen": "approve",
}
FULL: dict[str, Any] = {
    **LEAST,
    "seq": 7,
    "prev_sha256": "ab" * 32,
    "trace_id": "5B8EFFF798038103D269B633813FC60C",
    "span_id": "eee19b7ec3c1b174",
    "flow_id": "order-17",
    "actor": {"agent": "fraud", "service": "payments"},
    "model": {"name": "m", "version": "2", "provider": "p", "parameters": {"temperature": 0.1}},
    "prompt": {"id": "p1", "version": "3"},
    "input": {"amount": "12.50"},
    "candidates": [{"action": "approve", "score": 0.9}, {"action": "deny"}],
    "confidence": 0.5,
    "threshold": "0.850",
    "policy": {"id": "p", "version": "1", "sha256": "cd", "outcome": "allow", "reason": "r"},
    "feature_flags": {"new": True},
    "human_review": {"by": "x", "outcome": "ok", "time": "2026-11-22T10:11:13Z"},
    "action": {"step_key": "charge", "request_sha256": "ef"},
    "outcome": {"label": "good", "value": 1, "time": "2026-11-23T10:11:12Z"},
    "usage": {"input_tokens": 10, "output_tokens": 2, "cost_usd": 0.001},
    "latency_ms": 12.5,
    "a_field_of_tomorrow": [1, None],
}


def read_one(read: Any, record: Any) -> Any:
    (item,) = read(record, reader="decisions")
    return item


def test_a_full_record_gives_every_part(read: Any) -> None:
    assert read_one(read, FULL) == Decision(
        decision_id="d-1",
        time_ns=1795342272123456789,
        chosen="approve",
        trace_id="5b8efff798038103d269b633813fc60c",
        span_id="eee19b7ec3c1b174",
        flow_id="order-17",
        seq=7,
        confidence="0.5",
        threshold="0.850",
        model_name="m",
        model_version="2",
        policy_id="p",
        policy_version="1",
        policy_outcome="allow",
        action_step_key="charge",
        record=FULL,
    )


def test_four_fields_are_enough(read: Any) -> None:
    decision = read_one(read, LEAST)
    assert decision == Decision(
        decision_id="d-1", time_ns=1795342272123456789, chosen="approve", record=LEAST
    )


@pytest.mark.parametrize("number", ["0.850", "0.1000000000000000055511151231257827", "1", "1e-3"])
def test_numbers_are_kept_digit_by_digit(read: Any, number: str) -> None:
    text = json.dumps({**LEAST, "confidence": "@", "threshold": "@"}).replace('"@"', number)
    decision = read_one(read, text)
    assert decision.confidence == decision.threshold == (number if "e" not in number else "0.001")


REFUSED = {
    "no id": ({k: v for k, v in LEAST.items() if k != "decision_id"}, "decision_id"),
    "empty id": ({**LEAST, "decision_id": ""}, "decision_id"),
    "no schema": ({k: v for k, v in LEAST.items() if k != "schema"}, "schema is 'None'"),
    "newer schema": ({**LEAST, "schema": "retrospan.decision/2"}, "reads 'retrospan.decision/1'"),
    "chosen that is null": ({**LEAST, "chosen": None}, "$.chosen"),
    "time without offset": ({**LEAST, "time": "2026-11-22T10:11:12"}, "is not RFC 3339"),
    "time in words": ({**LEAST, "time": "yesterday"}, "is not RFC 3339"),
    "time that never was": ({**LEAST, "time": "2026-02-30T10:11:12Z"}, "day is out of range"),
    "time finer than a nanosecond": (
        {**LEAST, "time": "2026-11-22T10:11:12.1234567891Z"},
        "finer than a nanosecond",
    ),
    "time before 1970": ({**LEAST, "time": "1969-12-31T23:59:59Z"}, "outside 1970 to 2262"),
    "model that is text": ({**LEAST, "model": "gpt"}, "$.model"),
    "confidence in words": ({**LEAST, "confidence": "high"}, "$.confidence"),
    "seq below zero": ({**LEAST, "seq": -1}, "$.seq"),
    "a list": ([5], "not a JSON object"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_record_is_refused_with_its_reason(read: Any, case: str) -> None:
    record, reason = REFUSED[case]
    before, refused, after = read(
        "\n".join(map(json.dumps, (LEAST, record, LEAST))), reader="decisions"
    )
    assert before == after
    assert isinstance(refused, Rejected)
    assert refused.record.startswith("line 2")
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T22:30:00-01:30", 0),
        ("2026-11-22 10:11:12.5z", 1795342272500000000),
        ("2016-12-31T23:59:60Z", 1483228800000000000),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
    ],
)
def test_times_are_exact(text: str, time_ns: int) -> None:
    assert time_ns_of(text) == time_ns


def test_the_published_schema_is_the_one_that_is_checked() -> None:
    text = resources.files("ingest.schemas").joinpath("decision.schema.json").read_text()
    assert json.loads(text) == json_schema()
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_published_schema_accepts_a_full_record() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    assert list(validator.iter_errors(FULL)) == []


@given(
    field=st.sampled_from(sorted(FULL)),
    value=st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5), st.just({}), st.just([])
    ),
)
def test_the_reader_refuses_what_the_published_schema_refuses(field: str, value: Any) -> None:
    """The reader may refuse more (impossible times), never less."""
    import io

    from ingest.limits import Limits

    record = {**FULL, field: value}
    (item,) = READER.read(io.BytesIO(json.dumps(record).encode()), Limits())
    valid = jsonschema.Draft202012Validator(json_schema()).is_valid(record)
    assert isinstance(item, Rejected) or valid
    if field not in {"time", "trace_id", "span_id", "confidence", "threshold"}:
        assert isinstance(item, Decision) == valid
