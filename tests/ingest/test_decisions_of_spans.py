"""Policy engines, Langfuse exports, GenAI spans: choices become decisions."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.genai import decisions_of
from ingest.genai_output import answer_in
from ingest.told import told_by
from store.model import Decision, Rejected, Span, SpanEvent
from tests.ingest.test_fuzz import SCALARS, check_read, mutated, places

OPA: dict[str, Any] = {
    "labels": {"app": "gate"},
    "decision_id": "d-1",
    "bundles": {"authz": {"revision": "r7"}, "data": {"revision": "r2"}},
    "path": "http/authz/allow",
    "input": {"user": "bob", "password": "**REDACTED**"},
    "erased": ["/input/ssn"],
    "masked": ["/input/password"],
    "result": {"allow": False, "reason": "late"},
    "timestamp": "2026-01-02T03:04:05.123456789Z",
    "trace_id": "5b8efff798038103d269b633813fc60c",
    "span_id": "eee19b7ec3c1b174",
}
GENERATION: dict[str, Any] = {
    "id": "83517f9062f5ada4",
    "traceId": "1b72c51fabed12ae7df83bfd4a09f545",
    "parentObservationId": "95f4f51edeb603d9",
    "type": "GENERATION",
    "name": "chat",
    "startTime": "2025-06-06T11:31:33.978Z",
    "endTime": "2025-06-06T11:31:34.606Z",
    "model": "gpt-4o",
    "input": "Say hello",
    "output": {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "pay"}}]},
    "usageDetails": {"input": 41, "output": 3},
    "metadata": '{"resourceAttributes":{"service.name":"shop"}}',
}
EXPORT: dict[str, Any] = {
    "trace": {"id": GENERATION["traceId"], "name": "talk", "input": '"hi"', "observations": []},
    "observations": [
        {
            "id": "95f4f51edeb603d9",
            "traceId": GENERATION["traceId"],
            "parentObservationId": None,
            "type": "SPAN",
            "name": "talk",
            "startTime": "2025-06-06T11:31:33.965Z",
            "endTime": "2025-06-06T11:31:34.610Z",
        },
        GENERATION,
    ],
}

CALLED = "llm__output_messages__0__message__tool_calls__0__tool_call"


def span(events: tuple[SpanEvent, ...] = (), **attributes: Any) -> Span:
    return Span(
        trace_id="ab" * 16,
        span_id="cd" * 8,
        parent_span_id=None,
        name="x",
        kind="client",
        service="shop",
        start_ns=10**18,
        end_ns=10**18 + 5,
        attributes={name.replace("__", "."): value for name, value in attributes.items()},
        events=events,
    )


def test_a_policy_decision_keeps_what_was_decided_by_which_rules(read: Any) -> None:
    (decision,) = read(OPA, reader="opa")
    assert decision == Decision(
        decision_id="d-1",
        time_ns=1767323045123456789,
        chosen='{"allow":false,"reason":"late"}',
        trace_id=OPA["trace_id"],
        span_id=OPA["span_id"],
        policy_id="http/authz/allow",
        policy_version="authz=r7,data=r2",
        policy_outcome="deny",
        record=OPA,
    )


@pytest.mark.parametrize(
    ("result", "chosen", "outcome"),
    [
        (True, "true", "allow"),
        ("false", "false", "deny"),
        ({"decision": "allow"}, '{"decision":"allow"}', "allow"),
        ([1], "[1]", None),
        (None, "null", None),
    ],
)
def test_results_of_any_shape_are_told(read: Any, result: Any, chosen: str, outcome: Any) -> None:
    (decision,) = read([{**OPA, "result": result}], reader="opa")
    assert (decision.chosen, decision.policy_outcome) == (chosen, outcome)


def test_an_undefined_result_and_an_error_are_answers(read: Any) -> None:
    bare = {key: value for key, value in OPA.items() if key != "result"}
    (undefined,) = read(bare, reader="opa")
    (failed,) = read({**bare, "error": {"message": "x"}}, reader="opa")
    assert (undefined.chosen, failed.chosen) == ("undefined", "error")


def test_a_bad_policy_decision_is_refused_alone(read: Any) -> None:
    found = read([OPA, {**OPA, "timestamp": "soon"}, 7, {"labels": 1}, OPA], reader="opa")
    assert [type(item).__name__ for item in found].count("Decision") == 2
    refused = [item for item in found if isinstance(item, Rejected)]
    assert [item.record for item in refused] == ["line 1 [1]", "line 1 [2]", "line 1 [3]"]


def test_a_langfuse_generation_is_a_span_with_a_decision(read: Any) -> None:
    root, chat = read(EXPORT, reader="langfuse")
    (decision,) = told_by([root, chat])
    assert (root.parent_span_id, root.attributes["retrospan.flow.name"]) == (None, "talk")
    assert (chat.parent_span_id, chat.kind, chat.service) == (root.span_id, "client", "shop")
    assert chat.attributes["gen_ai.operation.name"] == "chat"
    assert chat.attributes["gen_ai.usage.input_tokens"] == 41
    assert decision.decision_id == f"span:{chat.trace_id}/{chat.span_id}"
    assert (decision.chosen, decision.model_name, decision.time_ns) == (
        "pay",
        "gpt-4o",
        chat.end_ns,
    )
    assert decision.record["derived_from"] == "span"


def test_an_observation_that_stands_twice_is_read_once_with_its_bodies(read: Any) -> None:
    bare = {key: value for key, value in GENERATION.items() if key not in ("input", "output")}
    export = {**EXPORT, "trace": {**EXPORT["trace"], "observations": [bare]}}
    items = read(export, reader="langfuse")
    assert sum(isinstance(item, Span) for item in items) == 2
    assert len(told_by(items)) == 1


def test_a_failed_generation_says_so_and_a_bad_one_is_refused(read: Any) -> None:
    failed = {**GENERATION, "level": "ERROR", "statusMessage": "rate limit", "output": None}
    bad = {**GENERATION, "startTime": "never"}
    found, refused = read([failed, bad], reader="langfuse")
    assert (found.status, found.status_message) == ("error", "rate limit")
    assert refused.reason.startswith("startTime 'never'")


@pytest.mark.parametrize(
    ("attributes", "chosen"),
    [
        (
            {
                "gen_ai__operation__name": "chat",
                "gen_ai__output__messages": json.dumps(
                    [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "text", "content": "Let me see."},
                                {"type": "tool_call", "name": "refund", "arguments": {}},
                            ],
                            "finish_reason": "tool_calls",
                        }
                    ]
                ),
            },
            "refund",
        ),
        (
            {
                "gen_ai__request__model": "m",
                "gen_ai__completion": '{"text":"It rains.","finish_reason":"stop"}',
            },
            "It rains.",
        ),
        (
            {"gen_ai__operation__name": "chat", "gen_ai__response__finish_reasons": ["stop"]},
            "stop",
        ),
        (
            {
                "openinference__span__kind": "LLM",
                f"{CALLED}__function__name": "ship",
            },
            "ship",
        ),
        (
            {
                "openinference__span__kind": "LLM",
                "llm__output_messages__0__message__contents__0__message_content__text": "Hello",
            },
            "Hello",
        ),
        (
            {
                "openinference__span__kind": "GUARDRAIL",
                "retrospan__decision__gate__outcome": "deny",
                "output__value": "blocked",
            },
            "deny",
        ),
        (
            {"openinference__span__kind": "EVALUATOR", "output__value": '{"label":"good"}'},
            None,
        ),
        ({"openinference__span__kind": "TOOL", "output__value": "x"}, None),
        ({"gen_ai__operation__name": "execute_tool", "output": "x"}, None),
        ({"gen_ai__operation__name": "chat"}, None),
        ({"retrospan__decision__id": "d-9", "retrospan__decision__confidence": 0.5}, None),
        ({"http__request__method": "GET", "output": "x"}, None),
    ],
)
def test_a_span_tells_a_decision_where_it_holds_one(
    attributes: dict[str, Any], chosen: str | None
) -> None:
    found = list(decisions_of(span(**attributes)))
    assert [decision.chosen for decision in found] == ([chosen] if chosen else [])


def test_a_declared_decision_has_its_own_id_and_exact_numbers() -> None:
    (decision,) = decisions_of(
        span(
            retrospan__decision__id="d-7",
            retrospan__decision__chosen="approve",
            retrospan__decision__confidence="0.850",
            retrospan__decision__policy__id="p",
            retrospan__decision__gate__outcome="allow",
        )
    )
    assert (decision.decision_id, decision.confidence) == ("d-7", "0.850")
    assert decision.record["policy"] == {"id": "p", "outcome": "allow"}
    assert decision.record["time"] == "2001-09-09T01:46:40.000000005Z"


def test_an_answer_in_an_event_counts() -> None:
    event = SpanEvent(
        name="gen_ai.choice",
        time_ns=1,
        attributes={"finish_reason": "stop", "message": '{"role":"assistant","content":"Yes"}'},
    )
    (decision,) = decisions_of(span((event,), gen_ai__operation__name="chat"))
    assert decision.chosen == "Yes"


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        ({"choices": [{"finish_reason": "stop", "message": {"content": "A"}}]}, "A"),
        ({"content": {"parts": [{"function_call": {"name": "f", "args": {}}}]}}, "f"),
        ({"output": [{"type": "function_call", "name": "g"}], "tools": [{"name": "no"}]}, "g"),
        ([{"type": "tool-call", "toolName": "h"}], "h"),
        ("None", ""),
        ('{"broken', '{"broken'),
    ],
)
def test_answers_of_every_provider_are_understood(value: Any, chosen: str) -> None:
    assert answer_in(value).chosen == chosen


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(places(OPA)), new=SCALARS)
def test_an_odd_policy_decision_is_read_or_refused(path: tuple[Any, ...], new: Any) -> None:
    items = check_read("opa", json.dumps([OPA, mutated(OPA, path, new)]).encode())
    assert len(items) == 2


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(places(EXPORT)), new=SCALARS)
def test_an_odd_observation_is_read_or_refused(path: tuple[Any, ...], new: Any) -> None:
    items = check_read("langfuse", json.dumps(mutated(EXPORT, path, new)).encode())
    assert items or path == ("observations",)
