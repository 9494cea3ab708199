"""`flows show` tells of the signals, updates and patches in a workflow's history."""

import json
from pathlib import Path
from typing import Any

from tests.ingest.histories import event, order, payloads
from tests.retrospan.conftest import Command


def history(tmp_path: Path) -> Path:
    """An order that is signalled, updated well and badly, patched, and goes on as a new run."""
    events: list[dict[str, Any]] = [one for one in order() if "Completed" not in one["eventType"]
                                    or "Activity" in one["eventType"]]  # fmt: skip
    number = max(int(one["eventId"]) for one in events)
    request = {"input": {"name": "discount", "args": payloads(5)}, "meta": {"updateId": "u1"}}
    events += [
        event(number + 1, "WorkflowExecutionUpdateAccepted", acceptedRequest=request),
        event(number + 2, "WorkflowExecutionUpdateCompleted", acceptedEventId=str(number + 1),
              outcome={"success": payloads("5 off")}),
        event(number + 3, "WorkflowExecutionUpdateAccepted", acceptedRequest=request),
        event(number + 4, "WorkflowExecutionUpdateCompleted", acceptedEventId=str(number + 3),
              outcome={"failure": {"message": "once only", "applicationFailureInfo": {}}}),
        event(number + 5, "MarkerRecorded", markerName="core_patch",
              details={"patch-data": payloads({"id": "fee", "deprecated": False})}),
        event(number + 6, "WorkflowExecutionCancelRequested", cause="the customer left"),
        event(number + 7, "WorkflowExecutionContinuedAsNew", newExecutionRunId="r2",
              input=payloads("next")),
    ]  # fmt: skip
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"events": events}))
    return path


def test_what_came_from_outside_is_shown_in_order(command: Command, tmp_path: Path) -> None:
    command("ingest", str(history(tmp_path)))
    (flow,) = json.loads(command("flows", "list", "--json").out)["flows"]
    shown = command("flows", "show", flow["flow_id"], "--json")
    told = json.loads(shown.out)["workflow_events"]
    assert [(one["kind"], one["name"], one["value"]) for one in told] == [
        ("signal", "hurry", "now"),
        ("update", "discount", "5"),
        ("updated", "discount", "5 off"),
        ("update", "discount", "5"),
        ("updated", "discount", "ApplicationError: once only"),
        ("patch", "fee", None),
        ("cancel", "the customer left", None),
        ("goes on as", "run r2", "next"),
    ]
    lines = command("flows", "show", flow["flow_id"]).out.splitlines()
    assert any(line.startswith("signal        hurry after ") for line in lines)
    assert any(line.startswith("updated       discount after ") for line in lines)
