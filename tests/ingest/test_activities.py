"""An activity that answers with what it chose, and how sure it was, made a decision."""

import io
import json
from typing import Any

import pytest

from ingest.limits import Limits
from ingest.readers.temporal import READER
from ingest.told import told_by
from store.model import Decision, Span
from tests.ingest.histories import event, payloads

ASSESSED = {
    "decision": "approve",
    "confidence": 0.93,
    "threshold": "0.8",
    "model": {"name": "risk", "version": "7"},
    "policy": {"id": "credit", "version": "r2", "outcome": "allow"},
}


def decided(*result: Any, **asked: Any) -> list[Decision]:
    """What the history of a workflow with one activity tells, as it is read from a file."""
    events = [
        event(1, "WorkflowExecutionStarted", workflowType={"name": "Loan"}, workflowId="loan-1",
              originalExecutionRunId="run-1", firstExecutionRunId="run-1"),
        event(2, "ActivityTaskScheduled", activityId="1", activityType={"name": "assess"},
              input=payloads(asked or {"amount": 5})),
        event(3, "ActivityTaskStarted", scheduledEventId="2", attempt=1),
        event(4, "ActivityTaskCompleted", scheduledEventId="2", result=payloads(*result)),
        event(5, "WorkflowExecutionCompleted"),
    ]  # fmt: skip
    stream = io.BytesIO(json.dumps({"events": events}).encode())
    return told_by([it for it in READER.read(stream, Limits()) if isinstance(it, Span)])


def test_the_answer_of_an_activity_is_the_decision_with_its_source() -> None:
    (found,) = decided(ASSESSED)
    assert (found.chosen, found.confidence, found.threshold) == ("approve", "0.93", "0.8")
    assert (found.model_name, found.model_version) == ("risk", "7")
    assert (found.policy_id, found.policy_version, found.policy_outcome) == (
        "credit",
        "r2",
        "allow",
    )
    assert found.record["source"] == "temporal_history"
    assert found.record["derived_from"] == "span"
    assert found.record["input"] == {"amount": 5}
    assert found.time_ns % 10**9 == 1


def test_a_whole_decision_record_keeps_its_id_and_a_model_may_be_a_name_alone() -> None:
    (whole,) = decided({"schema": "retrospan.decision/1", "decision_id": "d-9", "chosen": "hold"})
    assert (whole.decision_id, whole.chosen) == ("d-9", "hold")
    (named,) = decided({"chosen": "hold", "model": "rules-3"})
    assert (named.model_name, named.model_version) == ("rules-3", None)


@pytest.mark.parametrize(
    "result",
    [
        {"id": "ch-1"},
        {"status": "approved", "confidence": 0.9},
        {"decision": "approve"},
        {"decision": {"nested": 1}, "confidence": 0.9},
        {"chosen": "", "confidence": 0.9},
        "approve",
        [ASSESSED, ASSESSED],
        None,
    ],
)
def test_what_does_not_say_that_it_chose_is_no_decision(result: Any) -> None:
    assert decided(result) == []


def test_parts_of_a_wrong_shape_are_left_out_and_the_decision_stays() -> None:
    odd = {"chosen": "x", "confidence": "very", "threshold": True, "policy": ["p"], "usage": 3}
    (found,) = decided(odd)
    assert (found.confidence, found.threshold, found.policy_id) == (None, None, None)
    assert not {"confidence", "threshold", "policy", "usage"} & found.record.keys()
