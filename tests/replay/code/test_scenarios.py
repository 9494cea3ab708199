"""A scenario reaches the code where its answers come from; what only the code can, is refused."""

from dataclasses import replace
from typing import Any

import pytest

from replay.code.donors import Donor
from replay.code.engine import Subject
from replay.scenario import Scenario, parse_scenario
from store.errors import DataError
from tests.replay.code.payments import payments
from tests.replay.code.recorded import Call, run, subject
from tests.replay.code.test_clients import PYTHON, installed
from tests.replay.code.test_payments import ENTRY, replayed
from tests.third_party import needs

ORDER = {"id": "o-1"}
RESERVE, CHARGE = "shop.example POST /reserve", "shop.example POST /charge"


def scenario(text: str) -> Scenario:
    return parse_scenario(f"schema: retrospan.scenario/1\nname: what if\n{text}")


def sequential(charge_ms: float = 20, **charge: Any) -> Subject:
    hour = 3_600_000
    given: dict[str, Any] = {"response": {"id": "c-1"}, **charge}
    return subject(
        [
            Call(path="/reserve", start_ms=1, end_ms=31, request={"order": "o-1"},
                 response={"id": "reservation-1"}),
            Call(path="/charge", start_ms=hour + 33, end_ms=hour + 33 + charge_ms,
                 request={"order": "o-1", "reservation": "reservation-1"}, **given),
        ],
        given=ORDER, output={"charge": "c-1"}, end_ms=hour + 34 + charge_ms,
    )  # fmt: skip


def output_of(result: Any) -> Any:
    return result.events[-1]["output"]


def test_a_changed_value_of_an_answer_reaches_the_code_and_what_it_asks_next() -> None:
    what = scenario(f"answers: [{{operation: {RESERVE}, fields: {{id: reservation-9}}}}]")
    result = run(sequential(), "orders:sequential", scenario=what)
    assert (result.control_verdict, result.claim) == ("identical", "C2"), result.reason
    assert result.answers["bound"] == 1
    assert result.scenario == "what if"
    first = result.divergences[0]
    assert (first.kind, first.path) == ("args_changed", "request.reservation")
    assert first.replayed == "reservation-9"


def test_an_altered_value_that_nothing_reads_says_so() -> None:
    what = scenario(f"answers: [{{operation: {RESERVE}, fields: {{colour: red}}}}]")
    result = run(sequential(), "orders:sequential", scenario=what)
    assert result.verdict == "identical"
    assert [(it.kind, it.path) for it in result.divergences] == [
        ("unread_answer", "response.colour")
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"answers: [{{operation: {CHARGE}, status: '503'}}]", "HTTPError"),
        (f"answers: [{{operation: {CHARGE}, latency_ms: 9000}}]", "TimeoutError"),
        (f"answers: [{{operation: {CHARGE}, status: timeout}}]", "TimeoutError"),
        (f"answers: [{{operation: {CHARGE}, nth: every, latency_percent: 99000}}]", "TimeoutError"),
        (f"changes: [{{operation: {CHARGE}, timeout_ms: 10}}]", "TimeoutError"),
        ("lost: [{services: [shop.example], status: unavailable}]", "ConnectionResetError"),
    ],
)
def test_faults_latencies_timeouts_and_a_lost_region_reach_the_code(text: str, error: str) -> None:
    result = run(sequential(), "orders:sequential", scenario=scenario(text))
    assert result.control_verdict == "identical"
    assert result.claim == "C1", result.reason
    last = result.divergences[-1]
    assert last.kind == "exception_changed"
    assert error in str(last.replayed)


def late(**charge: Any) -> Subject:
    """The caller gave up after 5 s; the callee went on for 8 s."""
    return sequential(5_000, status=0, timeout_ms=5_000, callee_end_ms=3_600_000 + 8_033, **charge)


def test_a_longer_timeout_gets_the_late_answer_with_a_body_that_another_flow_lends() -> None:
    what = scenario(f"changes: [{{operation: {CHARGE}, timeout_ms: 10000}}]")
    flow = replace(late(), flow=replace(late().flow, output=None))
    unknown = run(flow, "orders:patient", scenario=what)
    assert unknown.control_verdict == "identical", unknown.divergences
    assert unknown.claim is None
    assert "how long it would have taken was not recorded" in unknown.reason


def test_a_patient_real_orchestrator_charges_once() -> None:
    """The same scenario as in trace mode, by the real code: the second charge is not made."""
    what = scenario("changes: [{operation: gateway-eu POST /charges, timeout_ms: 1500}]")
    chosen = [it for it in payments() if it.flow.flow_id == "order-000210"]
    body = {"charge_id": "ch_eu_lent", "status": "charged"}
    donors = {
        ("gateway-eu POST /charges", 201): Donor(body=str(body).replace("'", '"'), answers=9),
        ("gateway-eu POST /charges", 503): Donor(body='{"error": "busy"}', answers=3),
    }
    lent = [replace(it, donors=donors) for it in chosen]
    [result] = replayed(lent, f"{ENTRY}:recorded", scenario=what)
    assert result.control_verdict == "identical"
    assert result.claim == "C3"
    assert "gateway-eu POST /charges: 2 recorded, 1 now" in result.reason
    assert "lent by one of 9 answers with status 201" in result.reason
    assert output_of(result)["charge_id"] == "ch_eu_lent"
    [bare] = replayed(chosen, f"{ENTRY}:recorded", scenario=what)
    assert bare.claim is None
    assert "the body of its late answer was not recorded" in bare.reason


@pytest.mark.parametrize("timeout_ms", [10, 900])
def test_a_timeout_of_asyncio_rings_when_the_scenario_says(timeout_ms: int) -> None:
    """The code waits 300 ms by `wait_for`, in a task above the one that asks."""
    what = scenario(f"changes: [{{operation: {CHARGE}, timeout_ms: {timeout_ms}}}]")
    hour, body = 3_600_000, {"order": "o-1"}
    calls = [
        Call(path="/reserve", start_ms=1, end_ms=31, request=body, response={"id": "r-1"}),
        Call(path="/score", start_ms=1.5, end_ms=20, request=body, response={"id": "s-1"}),
        Call(path="/charge", start_ms=hour + 32, end_ms=hour + 332, request=body, status=0,
             timeout_ms=300),
        Call(path="/charge", start_ms=hour + 433, end_ms=hour + 441, request=body,
             response={"id": "c-1"}, timeout_ms=300),
    ]  # fmt: skip
    output = {"ids": ["r-1", "s-1", "c-1"], "tries": 2}
    flow = subject(calls, given=ORDER, output=output, end_ms=hour + 442)
    result = run(flow, "orders:in_tasks", scenario=what)
    assert result.control_verdict == "identical", result.reason
    assert not [it for it in result.flags if it.startswith("unapplied")]
    asked: Any = result.events[2]
    assert asked["how"] == "closed"
    assert 0 <= asked["ended_ns"] - asked["at_ns"] - timeout_ms * 1_000_000 < 1_000
    assert output_of(result) == output


@pytest.mark.parametrize("name", ["async_httpx", "aiohttp"])
@pytest.mark.parametrize("timeout_ms", [10, 900])
def test_a_client_of_asyncio_has_the_timeout_of_the_scenario(name: str, timeout_ms: int) -> None:
    needs(name.removeprefix("async_"), installed=installed(name.removeprefix("async_")))
    what = scenario(f"changes: [{{operation: {CHARGE}, timeout_ms: {timeout_ms}}}]")
    body, error = {"order": "o-1"}, "TimeoutError" if name == "aiohttp" else "ReadTimeout"
    calls = [
        Call(path="/reserve", start_ms=1, end_ms=31, request=body, response={"id": "r-1"}),
        Call(path="/charge", start_ms=32, end_ms=332, request=body, status=0, timeout_ms=300),
    ]  # fmt: skip
    output = {"id": "r-1", "error": error}
    flow = subject(calls, given=ORDER, output=output, end_ms=333)
    result = run(flow, f"clients:by_{name}", python=PYTHON, scenario=what)
    assert result.control_verdict == "identical", result.reason
    assert output_of(result) == output
    asked: Any = result.events[1]
    assert 0 <= asked["ended_ns"] - asked["at_ns"] - timeout_ms * 1_000_000 < 1_000
    # Beyond the recorded wait nobody knows how long the answer would have taken.
    assert result.claim == ("C1" if timeout_ms < 300 else None), result.reason


def test_a_timeout_that_the_code_does_not_have_makes_no_claim() -> None:
    what = scenario(f"changes: [{{operation: {RESERVE}, timeout_ms: 10}}]")
    calls = [
        Call(path="/reserve", start_ms=1, end_ms=31, request={"order": "o-1"},
             response={"id": "r-1"}),
        Call(path="/score", start_ms=1.5, end_ms=20, request={"order": "o-1"},
             response={"id": "s-1"}),
        Call(path="/charge", start_ms=3_600_032, end_ms=3_600_082, request={"order": "o-1"},
             response={"id": "c-1"}),
    ]  # fmt: skip
    flow = subject(
        calls, given=ORDER, output={"ids": ["r-1", "s-1", "c-1"], "tries": 1}, end_ms=3_600_083
    )
    result = run(flow, "orders:in_tasks", scenario=what)
    assert result.claim is None
    assert "the client set none as was recorded" in result.reason


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"changes: [{{operation: {CHARGE}, max_attempts: 2}}]", "changes.max_attempts"),
        (f"changes: [{{operation: {CHARGE}, threshold: 0.5}}]", "changes.threshold"),
        (f"changes: [{{operation: {CHARGE}, capacity: 5}}]", "changes.capacity"),
        (
            f"changes: [{{operation: {CHARGE}, backoff: {{initial_ms: 5}}}}]",
            "changes.backoff_initial_ms",
        ),
        ("version: '2'", "version"),
        (f"answers: [{{operation: {CHARGE}s, status: '503'}}]", "which these flows never call"),
    ],
)
def test_what_only_the_code_can_change_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(DataError, match=named):
        run(sequential(), "orders:sequential", scenario=scenario(text))


def test_without_a_control_that_passes_there_is_no_what_if() -> None:
    flow = sequential(response={"id": "c-2"})
    what = scenario(f"answers: [{{operation: {RESERVE}, fields: {{id: reservation-9}}}}]")
    result = run(flow, "orders:sequential", scenario=what)
    assert (result.control_verdict, result.claim) == ("diverged", None)
    assert result.reason == "the control replay diverged, so no counterfactual is shown"
