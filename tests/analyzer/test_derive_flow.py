"""How a flow ended, how replayable it is, which step undoes which."""

import json
from dataclasses import replace

import pytest

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from store.conclusions import Flow, FlowOutcome
from store.model import AttributeValue, LogRecord, SpanLink
from tests.analyzer.builder import Recording, at, make_span, step_named


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("completed", FlowOutcome.SUCCEEDED),
        ("declined", FlowOutcome.FAILED),
        ("Rolled-Back", FlowOutcome.FAILED),
    ],
)
def test_the_flows_own_word_says_how_it_ended(status: str, outcome: FlowOutcome) -> None:
    assert Recording(status=status).flow().outcome is outcome


def test_a_handled_inner_error_is_not_a_failed_flow() -> None:
    flow = Recording(status="completed")
    flow.call("notification", "POST /messages", 10, 20, http=503)
    assert flow.flow().outcome is FlowOutcome.SUCCEEDED


def test_outcomes_follow_what_was_undone() -> None:
    flow = Recording(status="failed")
    reserved, charged = flow.reserve(10, 20), flow.charge(30, 40, ref="ch-1")
    assert flow.flow().outcome is FlowOutcome.PARTIALLY_COMPENSATED
    flow.refund(charged, 50, 60, ref="re-1")
    assert flow.flow().outcome is FlowOutcome.PARTIALLY_COMPENSATED
    flow.release(reserved, 70, 80)
    assert flow.flow().outcome is FlowOutcome.COMPENSATED


def test_without_a_root_the_outcome_is_unknown() -> None:
    flow = Recording()
    flow.charge(10, 20)
    (rows,) = assign(flow.spans, [], [], AssignSettings())
    derived = derive(rows, DeriveSettings())
    assert (derived.outcome, derived.replayability) == (FlowOutcome.UNKNOWN, "R0")
    assert not derived.complete


def test_without_the_flows_word_a_failed_step_leaves_it_unknown() -> None:
    flow = Recording(root_attributes={"retrospan.flow.output": None})
    flow.charge(10, 20, http=500)
    assert flow.flow().outcome is FlowOutcome.UNKNOWN


def graded(**leave_out: bool) -> Flow:
    body: dict[str, AttributeValue] = {
        "http.request.body.content": "{}", "http.response.body.content": "{}",
        "retrospan.call.max_attempts": 3,
    }  # fmt: skip
    flow = Recording()
    if leave_out.get("bodies"):
        body = {"retrospan.call.max_attempts": 3}
    flow.call("x", "POST /x", 10, 20, extra=body)
    if not leave_out.get("draws"):
        flow.logs.append(
            LogRecord(
                time_ns=at(15), observed_ns=at(15), trace_id=flow.trace, span_id=None,
                severity_number=9, severity_text="", event_name="retrospan.effect", body=None,
                service="orchestrator", attributes={"kind": "random", "value": 0.5, "index": 0},
            )
        )  # fmt: skip
    if leave_out.get("parent"):
        flow.add("lost", 30, 40, parent="f" * 16)
    return flow.flow()


def test_replayability_says_what_would_raise_it() -> None:
    assert (graded().replayability, graded().evidence_gaps) == ("R4", [])
    assert graded(draws=True).replayability == "R3"
    assert "retrospan.effect" in graded(draws=True).evidence_gaps[0]
    assert graded(bodies=True).replayability == "R2"
    torn = graded(parent=True)
    assert (torn.replayability, torn.complete) == ("R1", False)
    assert "missing: lost" in torn.evidence_gaps[0]
    assert graded().draws == [{"kind": "random", "value": 0.5, "index": 0, "span_id": None}]


def test_who_leads_is_told_from_who_calls() -> None:
    flow = Recording()
    flow.charge(10, 20)
    assert flow.flow().architecture == "central"
    assert Recording().flow().architecture == "unknown"


def test_a_link_ties_a_compensation_to_its_step_with_grade_two() -> None:
    flow = Recording(status="failed")
    charged = flow.call("gw", "POST /charges", 10, 20)
    link = SpanLink(trace_id=charged.trace_id, span_id=charged.span_id)
    flow.call("gw", "POST /refunds", 30, 40, links=[link])
    done, undone = flow.flow().steps
    assert (undone.compensates, undone.compensates_grade) == (done.step_id, 2)
    assert (done.role, undone.role, undone.role_grade) == ("compensatable", "compensation", 2)


def test_a_declared_pair_has_grade_three() -> None:
    flow = Recording(status="failed")
    flow.call("gw", "POST /holds", 10, 20)
    flow.call("gw", "POST /frees", 30, 40)
    told = DeriveSettings(compensated_by={"POST /frees": "POST /holds"})
    done, undone = flow.flow(told).steps
    assert (undone.compensates, undone.compensates_grade) == (done.step_id, 3)


def test_an_engines_naming_has_grade_four() -> None:
    flow = Recording(status="failed")
    for number, name in enumerate(("Withdraw", "WithdrawCompensation")):
        flow.add(
            f"RunActivity:{name}", 10 + 20 * number, 20 + 20 * number, kind="server",
            service="worker", attributes={"temporalRunID": "r", "temporalActivityID": str(number)},
        )  # fmt: skip
    done, undone = flow.flow().steps
    assert (undone.compensates, undone.role_grade) == (done.step_id, 4)


def test_words_alone_count_only_after_a_failure() -> None:
    flow = Recording(root_attributes={"retrospan.flow.output": None})
    flow.call("gw", "POST /charges", 10, 20)
    flow.call("gw", "POST /refunds", 30, 40)
    assert [step.role for step in flow.flow().steps] == [None, None]
    flow.root_attributes = {"retrospan.flow.output": json.dumps({"status": "failed"})}
    assert [step.role_grade for step in flow.flow().steps] == [5, 5]


def test_a_compensation_may_name_the_step_it_undoes() -> None:
    flow = Recording(status="failed")
    flow.charge(10, 20, ref="ch-1")
    made = flow.refund(replace(make_span("x", 0, 1, number=77), span_id="charge-eu"), 30, 40)
    assert made.attributes["retrospan.saga.compensates"] == "charge-eu"
    derived = flow.flow()
    refund = step_named(derived, "refund")
    assert refund.compensates == step_named(derived, "charge-eu").step_id


def test_the_releases_that_took_part_are_kept_with_the_draws() -> None:
    flow = Recording()
    for version in ("2.0", "1.0", "2.0"):
        resource: dict[str, AttributeValue] = {"service.version": version}
        span = flow.call("gw", "POST /charges", 10, 20)
        flow.spans.append(replace(span, span_id=f"{version}-{len(flow.spans)}", resource=resource))
    told = [(draw["service"], draw["value"]) for draw in flow.flow().draws]  # type: ignore[index,call-overload]
    assert told == [("orchestrator", "1.0"), ("orchestrator", "2.0")]
    assert "retrospan.effect" in " ".join(flow.flow().evidence_gaps)
