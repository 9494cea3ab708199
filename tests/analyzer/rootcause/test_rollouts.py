"""A rollout is blamed where it names the instances that fail, and not for having come last."""

from analyzer.rootcause.rank import rank
from analyzer.rootcause.telemetry import Case, Change, RecordedCall, Telemetry, calls_of

ONSET = 1_000_000_000_000


def calls(count: int, at_ns: int, sick: str) -> list[RecordedCall]:
    """Requests over three instances; those on `sick` fail, now and then one elsewhere."""
    return [
        RecordedCall(
            trace_id=f"{at_ns}-{n}",
            span_id=f"{at_ns}-{n}/1",
            parent_id="",
            service="pay",
            operation="POST /pay",
            start_ns=at_ns + n,
            end_ns=at_ns + n + 10_000_000,
            failed=f"pay-pod-1.4.{n % 3}" == sick or n % 50 == 49,
            where=(("instance", f"pay-pod-1.4.{n % 3}"),),
        )
        for n in range(count)
    ]


def blamed(text: str) -> list[str]:
    """The changes blamed when the instance 1.4.1 fails and a rollout says `text`."""
    during = calls(300, ONSET, "pay-pod-1.4.1")
    found = rank(
        Case(
            baseline=Telemetry(calls=calls_of(calls(300, 0, ""))),
            incident=Telemetry(calls=calls_of(during)),
            onset_ns=ONSET,
            changes=[
                Change(at_ns=ONSET - 5, kind="deploy", service="pay", name="guilty", text=text),
                Change(at_ns=ONSET, kind="deploy", service="pay", name="last", text="6/6 pods"),
            ],
            bad=frozenset(one.trace_id for one in during if one.failed),
        )
    )
    return [one.name.rpartition(" ")[2] for one in found.candidates if one.kind == "change"]


def test_a_rollout_that_names_the_failing_instance_is_blamed() -> None:
    assert blamed("Pod pay-pod-1.4.1 updated to version 2.0.0.") == ["guilty"]


def test_a_rollout_of_an_instance_that_does_not_fail_is_not_blamed() -> None:
    assert blamed("Pod pay-pod-1.4.2 updated to version 2.0.0") == []


def test_a_name_that_only_begins_like_the_failing_instance_is_another_one() -> None:
    assert blamed("Pods pay-pod-1.4.10, pay-pod-1.4.1-a and x-pay-pod-1.4.1 updated") == []
