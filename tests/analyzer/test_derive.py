"""Spans become steps and attempts."""

import pytest

from store.conclusions import StepOutcome
from store.model import AttributeValue
from tests.analyzer.builder import Recording, at


def test_a_later_call_after_a_failure_is_an_attempt_of_the_same_step() -> None:
    flow = Recording()
    flow.charge(10, 20, error="timeout", callee_seen=False)
    flow.charge(30, 40, http=503)
    flow.charge(50, 60, ref="ch-1")
    (step,) = flow.flow().steps
    assert [attempt.status for attempt in step.attempts] == ["timeout", "503", "ok"]
    assert step.outcome is StepOutcome.OK
    assert (step.name, step.callee, step.operation) == ("charge-eu", "gateway-eu", "POST /charges")


def test_a_call_after_a_success_is_another_step() -> None:
    flow = Recording()
    flow.charge(10, 20, ref="a")
    flow.charge(30, 40, ref="b")
    steps = flow.flow().steps
    assert len(steps) == 2
    assert len({step.step_id for step in steps}) == 2


def test_parallel_calls_are_different_steps_even_when_one_fails() -> None:
    flow = Recording()
    flow.call("inventory", "POST /reservations", 10, 40, http=503)
    flow.call("inventory", "POST /reservations", 20, 50)
    assert len(flow.flow().steps) == 2


def test_a_redirect_is_not_retried() -> None:
    flow = Recording()
    flow.call("files", "GET /a", 10, 20, http=302)
    flow.call("files", "GET /a", 30, 40, http=200)
    assert [len(step.attempts) for step in flow.flow().steps] == [1, 1]


def test_another_gateway_is_another_step() -> None:
    flow = Recording()
    flow.charge(10, 20, http=503)
    flow.charge(30, 40, "us", ref="ch-1")
    assert [step.callee for step in flow.flow().steps] == ["gateway-eu", "gateway-us"]


def test_a_call_that_counts_no_resend_is_new_where_its_service_counts_them() -> None:
    flow = Recording()
    flow.call("inventory", "POST /releases", 10, 20, http=503)
    flow.call(
        "inventory", "POST /releases", 30, 40, http=503, extra={"http.request.resend_count": 1}
    )
    flow.call("inventory", "POST /releases", 50, 60)
    assert [len(step.attempts) for step in flow.flow().steps] == [2, 1]


def test_different_resources_in_the_path_are_different_steps_with_keys() -> None:
    flow = Recording()
    for number, path in enumerate(("/orders/1001", "/orders/1002")):
        flow.add(
            "GET", 10 + 20 * number, 20 + 20 * number, kind="client",
            attributes={"http.request.method": "GET", "url.full": f"http://shop{path}?x=1",
                        "server.address": "shop", "http.response.status_code": 500},
        )  # fmt: skip
    steps = flow.flow().steps
    assert [(step.operation, step.key) for step in steps] == [
        ("GET /orders/{id}", "1001"),
        ("GET /orders/{id}", "1002"),
    ]


def test_attempts_of_one_engine_activity_are_one_step() -> None:
    flow = Recording()
    activity = {"temporalRunID": "r", "temporalActivityID": "1", "temporalWorkflowID": "w"}
    for start in (10, 30):
        flow.add(
            "RunActivity:Withdraw", start, start + 5, kind="server", service="worker",
            status="error" if start == 10 else "unset", attributes=dict(activity),
        )  # fmt: skip
    (step,) = flow.flow().steps
    assert (step.operation, len(step.attempts)) == ("Withdraw", 2)


@pytest.mark.parametrize(
    ("word", "status", "outcome"),
    [
        ("TimeoutError", "timeout", StepOutcome.TIMEOUT),
        ("requests.exceptions.ReadTimeout", "timeout", StepOutcome.TIMEOUT),
        ("DEADLINE_EXCEEDED", "timeout", StepOutcome.TIMEOUT),
        ("breaker_open", "breaker_open", StepOutcome.ERROR),
        ("CircuitBreakerOpenException", "breaker_open", StepOutcome.ERROR),
        ("asyncio.CancelledError", "cancelled", StepOutcome.CANCELLED),
        ("ConnectionResetError", "ConnectionResetError", StepOutcome.ERROR),
    ],
)
def test_error_types_become_the_words_a_program_branches_on(
    word: str, status: str, outcome: StepOutcome
) -> None:
    flow = Recording()
    flow.charge(10, 20, error=word, callee_seen=False)
    attempt = flow.flow().steps[0].attempts[0]
    assert (attempt.status, attempt.outcome) == (status, outcome)


def test_a_gateways_timeout_keeps_its_number_and_is_a_timeout() -> None:
    flow = Recording()
    flow.charge(10, 20, http=504, callee_seen=False)
    attempt = flow.flow().steps[0].attempts[0]
    assert (attempt.status, attempt.outcome) == ("504", StepOutcome.TIMEOUT)
    assert attempt.took_effect is None


def test_grpc_codes_are_read_by_name() -> None:
    flow = Recording()
    flow.add(
        "shop.Cart/Add", 10, 20, kind="client",
        attributes={"rpc.system": "grpc", "rpc.service": "shop.Cart", "rpc.method": "Add",
                    "rpc.grpc.status_code": 4},
    )  # fmt: skip
    (step,) = flow.flow().steps
    assert (step.operation, step.attempts[0].status) == ("shop.Cart/Add", "timeout")


@pytest.mark.parametrize(
    ("callee", "expected"), [(201, True), (402, False), (503, False), (None, None)]
)
def test_whether_a_timed_out_call_took_effect_is_the_callees_to_say(
    callee: int | None, expected: bool | None
) -> None:
    flow = Recording()
    flow.charge(10, 20, error="timeout", at_callee=callee, callee_seen=callee is not None)
    assert flow.flow().steps[0].attempts[0].took_effect is expected


def test_a_callee_that_ended_after_its_caller_gave_up_is_remembered() -> None:
    flow = Recording()
    flow.charge(10, 20, error="timeout", at_callee=201, callee_end=90, callee_ref="ch-9")
    attempt = flow.flow().steps[0].attempts[0]
    assert (attempt.callee_end_ns, attempt.external_ref) == (at(90), "ch-9")
    assert attempt.callee_outcome is StepOutcome.OK


def test_a_call_the_breaker_stopped_had_no_effect() -> None:
    flow = Recording()
    flow.charge(10, 11, error="breaker_open", callee_seen=False)
    assert flow.flow().steps[0].attempts[0].took_effect is False


def test_calls_made_inside_a_callee_belong_to_the_step_above() -> None:
    flow = Recording()
    flow.charge(10, 50, ref="ch-1")
    inside = flow.spans[-1]
    flow.add(
        "POST /captures", 20, 30, kind="client", service="gateway-eu", parent=inside.span_id,
        attributes={"http.request.method": "POST", "url.template": "/captures",
                    "service.peer.name": "bank"},
    )  # fmt: skip
    outer, inner = flow.flow().steps
    assert (outer.parent_step_id, inner.parent_step_id) == (None, outer.step_id)


def test_an_attempt_whose_callee_is_silent_gets_its_siblings_name() -> None:
    flow = Recording()
    for start, http in ((10, None), (30, 201)):
        flow.add(
            "POST", start, start + 10, kind="client", status="error" if http is None else "unset",
            attributes={"http.request.method": "POST", "url.path": "/charges",
                        "server.address": "10.0.0.7", "error.type": "timeout"}
            if http is None
            else {"http.request.method": "POST", "url.path": "/charges",
                  "server.address": "10.0.0.7", "http.response.status_code": http},
        )  # fmt: skip
    last = flow.spans[-1].span_id
    flow.add("POST /charges", 31, 39, kind="server", service="gateway", parent=last)
    (step,) = flow.flow().steps
    assert (step.callee, len(step.attempts)) == ("gateway", 2)


def test_a_span_around_attempts_lends_them_its_names() -> None:
    flow = Recording()
    outer = flow.add(
        "charge", 10, 60,
        attributes={"retrospan.step.key": "o1", "retrospan.saga.step": "charge",
                    "retrospan.saga.role": "compensatable"},
    )  # fmt: skip
    for start, http in ((12, 503), (40, 201)):
        flow.add(
            "POST", start, start + 10, kind="client", parent=outer.span_id,
            attributes={"http.request.method": "POST", "url.template": "/charges",
                        "service.peer.name": "gw", "http.response.status_code": http},
        )  # fmt: skip
    (step,) = flow.flow().steps
    assert (step.name, step.key, step.role, len(step.attempts)) == (
        "charge", "o1", "compensatable", 2,
    )  # fmt: skip


def test_gates_and_timers_are_local_steps() -> None:
    flow = Recording()
    gate: dict[str, AttributeValue] = {
        "retrospan.step.kind": "gate", "retrospan.decision.gate.outcome": "allow",
    }  # fmt: skip
    flow.add("policy", 10, 11, attributes=gate)
    flow.add("settlement", 20, 30, attributes={"retrospan.step.kind": "timer"})
    first, second = flow.flow().steps
    assert (first.kind, first.callee, first.attempts[0].response) == (
        "gate", "", {"outcome": "allow"},
    )  # fmt: skip
    assert (second.kind, second.attempts[0].took_effect) == ("timer", False)


def test_bodies_are_json_where_they_are_json() -> None:
    flow = Recording()
    extra: dict[str, AttributeValue] = {
        "http.request.body.content": '{"a": 1}', "http.response.body.content": "not {json",
    }  # fmt: skip
    flow.call("x", "POST /x", 10, 20, extra=extra)
    attempt = flow.flow().steps[0].attempts[0]
    assert (attempt.request, attempt.response) == ({"a": 1}, "not {json")


def test_ids_of_steps_are_stable_and_belong_to_one_flow() -> None:
    def step_ids(flow_id: str) -> list[str]:
        flow = Recording(flow_id=flow_id)
        flow.reserve(10, 20)
        flow.charge(30, 40)
        return [step.step_id for step in flow.flow().steps]

    assert step_ids("a") == step_ids("a")
    assert not set(step_ids("a")) & set(step_ids("b"))
