"""Hand-made workflow histories, small enough to read."""

import base64
import json
from typing import Any

TRACE, CALLER, START_ACTIVITY = "7a" * 16, "53" * 8, "3d" * 8


def payloads(*values: Any) -> dict[str, Any]:
    """Values as the server stores them."""
    return {"payloads": [payload(json.dumps(value).encode()) for value in values]}


def payload(data: bytes, encoding: str = "json/plain") -> dict[str, Any]:
    """One payload in any encoding."""
    written = base64.b64encode(encoding.encode()).decode()
    return {"metadata": {"encoding": written}, "data": base64.b64encode(data).decode()}


def header(trace: str, span: str) -> dict[str, Any]:
    """What the tracing interceptor puts into a header."""
    parent = json.dumps({"traceparent": f"00-{trace}-{span}-01"}).encode()
    return {"fields": {"_tracer-data": payload(parent)}}


def event(number: int, kind: str, **attributes: Any) -> dict[str, Any]:
    """One event in the web interface's spelling, a second after the one before."""
    name = kind[0].lower() + kind[1:]
    return {
        "eventId": str(number),
        "eventTime": f"2026-11-22T13:24:{number:02d}.000000001Z",
        "eventType": kind,
        f"{name}EventAttributes": attributes,
    }


def order() -> list[dict[str, Any]]:
    """A workflow that charges with three attempts, waits, and fails at shipping."""
    return [
        event(
            1,
            "WorkflowExecutionStarted",
            workflowType={"name": "Order"},
            taskQueue={"name": "orders"},
            input=payloads({"order_id": "o1"}),
            originalExecutionRunId="run-1",
            firstExecutionRunId="run-1",
            workflowId="order-1",
            header=header(TRACE, CALLER),
        ),
        event(2, "WorkflowTaskScheduled"),
        event(
            3,
            "ActivityTaskScheduled",
            activityId="1",
            activityType={"name": "charge"},
            taskQueue={"name": "payments"},
            input=payloads("o1", 12),
            header=header(TRACE, START_ACTIVITY),
            startToCloseTimeout="5s",
            retryPolicy={
                "initialInterval": "0.050s",
                "backoffCoefficient": 2.0,
                "maximumAttempts": 4,
            },
        ),
        event(
            4,
            "ActivityTaskStarted",
            scheduledEventId="3",
            attempt=3,
            lastFailure={"message": "busy", "applicationFailureInfo": {"type": "Busy"}},
        ),
        event(5, "ActivityTaskCompleted", scheduledEventId="3", result=payloads({"id": "ch-1"})),
        event(6, "TimerStarted", timerId="9", startToFireTimeout="1.500s"),
        event(7, "TimerFired", timerId="9", startedEventId="6"),
        event(8, "WorkflowExecutionSignaled", signalName="hurry", input=payloads("now")),
        event(
            9,
            "ActivityTaskScheduled",
            activityId="2",
            activityType={"name": "ship"},
            input={"payloads": [payload(b"\x01\x02", "binary/encrypted")]},
        ),
        event(10, "ActivityTaskStarted", scheduledEventId="9", attempt=1),
        event(
            11,
            "ActivityTaskTimedOut",
            scheduledEventId="9",
            failure={
                "message": "activity StartToClose timeout",
                "timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"},
            },
        ),
        _failed(),
    ]


def _failed() -> dict[str, Any]:
    """The end of the workflow: an application's error inside an activity's."""
    return event(
        12,
        "WorkflowExecutionFailed",
        failure={
            "message": "Activity task timed out",
            "cause": {
                "message": "no carrier",
                "applicationFailureInfo": {"type": "CarrierRefused"},
            },
            "activityFailureInfo": {"activityType": {"name": "ship"}},
        },
    )


def as_sdk(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The same history as the SDKs and the command line spell its types."""
    renamed = []
    for one in events:
        words = "".join(f"_{c}" if c.isupper() else c for c in one["eventType"]).upper()
        renamed.append({**one, "eventType": f"EVENT_TYPE{words}"})
    return {"events": renamed}


def cadence() -> list[dict[str, Any]]:
    """A Cadence workflow with one failing activity and a signal to another workflow."""

    def base(number: int, kind: str, **attributes: Any) -> dict[str, Any]:
        name = kind[0].lower() + kind[1:]
        return {
            "eventId": number,
            "timestamp": 1_599_846_349_000_000_000 + number * 10**9,
            "eventType": kind,
            f"{name}EventAttributes": attributes,
        }

    def text(value: Any) -> str:
        return base64.b64encode(json.dumps(value).encode()).decode()

    return [
        base(
            1,
            "WorkflowExecutionStarted",
            workflowType={"name": "Trip"},
            taskList={"name": "trips"},
            input=text("paris"),
            originalExecutionRunId="run-c",
        ),
        base(2, "DecisionTaskScheduled", taskList={"name": "trips"}),
        base(
            3,
            "ActivityTaskScheduled",
            activityId="0",
            activityType={"name": "book"},
            taskList={"name": "trips"},
            input=text(["paris", 2]),
            startToCloseTimeoutSeconds=10,
        ),
        base(4, "ActivityTaskStarted", scheduledEventId=3, attempt=0),
        base(5, "ActivityTaskFailed", scheduledEventId=3, reason="Full", details=text("no room")),
        base(6, "WorkflowExecutionCompleted", result=text("gave up")),
    ]
