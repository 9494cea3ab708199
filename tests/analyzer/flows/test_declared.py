"""What a team declares of its flows gives steps their roles, and gives way to what was recorded."""

from typing import Any

import pytest

from analyzer.derive import DeriveSettings, declared_flows, derive
from analyzer.derive.declared import DeclarationError
from store.conclusions import Flow, FlowOutcome
from tests.analyzer.builder import Recording, step_named

PAYMENT = {
    "steps": [
        {"name": "POST /reservations", "compensated_by": "POST /releases", "lock": True},
        {"name": "POST /charges", "pivot": True},
        {"name": "POST /receipts", "retriable": True, "optional": True},
    ],
    "terminal": {"Paid-Out": "succeeded", "done": "failed"},
}


def recording(status: str = "completed") -> Recording:
    """A payment whose spans say nothing of sagas."""
    flow = Recording(status=status)
    flow.call("inventory", "POST /reservations", 10, 20, extra={"retrospan.step.key": "sku-1"})
    flow.call("gateway", "POST /charges", 30, 40, http=402)
    flow.call("inventory", "POST /releases", 50, 60, extra={"retrospan.step.key": "sku-1"})
    return flow


def derived(flow: Recording, table: Any = PAYMENT, name: str = "payment") -> Flow:
    return derive(flow.rows(), DeriveSettings(), declared_flows({name: table}))


def test_declared_steps_have_declared_roles() -> None:
    flow = derived(recording("failed"))
    reserve, charge = (step_named(flow, f"POST /{it}") for it in ("reservations", "charges"))
    assert (reserve.role, reserve.role_grade) == ("compensatable", 3)
    assert (charge.role, charge.role_grade) == ("pivot", 3)
    release = step_named(flow, "POST /releases")
    assert (release.role, release.compensates) == ("compensation", reserve.step_id)
    assert release.compensates_grade == 3


def test_a_step_that_was_never_undone_is_compensatable_too() -> None:
    flow = recording()
    flow.spans = [span for span in flow.spans if "releases" not in span.name]
    assert step_named(derived(flow), "POST /reservations").role == "compensatable"


def test_flows_of_another_name_have_none_of_it() -> None:
    flow = derived(recording("failed"), name="refund")
    assert all(step.role_grade != 3 for step in flow.steps)


def test_what_a_span_says_wins_over_what_is_declared() -> None:
    flow = Recording()
    flow.call("gateway", "POST /charges", 10, 20, saga={"role": "compensatable"})
    (charge,) = derived(flow).steps
    assert (charge.role, charge.role_grade) == ("compensatable", 1)


def test_terminal_states_say_how_a_flow_ended() -> None:
    assert derived(Recording(status="paid out")).outcome is FlowOutcome.SUCCEEDED
    assert derived(Recording(status="done")).outcome is FlowOutcome.FAILED
    assert derived(Recording(status="done"), name="other").outcome is FlowOutcome.SUCCEEDED


@pytest.mark.parametrize(
    ("table", "path", "said"),
    [
        (3, ("p",), "must be a table"),
        ({}, ("p",), "needs steps"),
        ({"steps": []}, ("p",), "needs steps"),
        ({"steps": ["a"]}, ("p", "steps", 0), "a step is a table"),
        ({"steps": [{}]}, ("p", "steps", 0), "needs a name"),
        ({"steps": [{"name": ""}]}, ("p", "steps", 0, "name"), "not empty"),
        ({"steps": [{"name": "a", "pivot": 1}]}, ("p", "steps", 0, "pivot"), "true or false"),
        ({"steps": [{"name": "a", "undo": "b"}]}, ("p", "steps", 0, "undo"), "there is no undo"),
        ({"steps": [{"name": "a"}], "end": 1}, ("p", "end"), "there is no end"),
        ({"steps": [{"name": "a"}, {"name": "a"}]}, ("p", "steps", 1, "name"), "twice"),
        (
            {"steps": [{"name": "a", "pivot": True}, {"name": "b", "pivot": True}]},
            ("p", "steps", 1, "pivot"),
            "second pivot after a",
        ),
        (
            {"steps": [{"name": "a", "pivot": True}, {"name": "b", "compensated_by": "c"}]},
            ("p", "steps", 1, "compensated_by"),
            "after the pivot a",
        ),
        (
            {"steps": [{"name": "a", "pivot": True, "compensated_by": "c"}]},
            ("p", "steps", 0, "pivot"),
            "nothing may undo it",
        ),
        (
            {"steps": [{"name": "a", "pivot": True, "retriable": True}]},
            ("p", "steps", 0, "retriable"),
            "pivot and retriable",
        ),
        (
            {"steps": [{"name": "a", "compensated_by": "c"}, {"name": "b", "compensated_by": "c"}]},
            ("p", "steps", 1, "compensated_by"),
            "undoes a already",
        ),
        (
            {"steps": [{"name": "a", "compensated_by": "b"}, {"name": "b"}]},
            ("p", "steps", 0, "compensated_by"),
            "no step itself",
        ),
        ({"steps": [{"name": "a"}], "terminal": []}, ("p", "terminal"), "is a table"),
        (
            {"steps": [{"name": "a"}], "terminal": {"x": "ok"}},
            ("p", "terminal", "x"),
            "succeeded, failed",
        ),
        ({"steps": [{"name": str(n)} for n in range(501)]}, ("p", "steps"), "at most 500"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_where_it_stands(
    table: Any, path: tuple[str | int, ...], said: str
) -> None:
    with pytest.raises(DeclarationError, match=said) as caught:
        declared_flows({"p": table})
    assert caught.value.path == path
