"""The onboarding recordings keep their promises."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.sample_traces.recorded import (
    ONBOARDINGS,
    expected,
    finding,
    flow_ids,
    lines,
    log_records,
    spans,
)

ROLLOUT = "onboarding-model-rollout"
SPANS_PER_FLOW_MAX = 60


@pytest.mark.parametrize("sample", ONBOARDINGS)
def test_every_applicant_has_exactly_one_trace(sample: str) -> None:
    """Cannot prove that no span is missing from the middle of a flow."""
    ids = list(flow_ids(sample).values())
    assert len(ids) == len(set(ids)) == expected(sample)["flows"]
    counts: dict[str, int] = defaultdict(int)
    for span in spans(sample):
        counts[span["traceId"]] += 1
    assert len(counts) == len(ids)
    assert max(counts.values()) <= SPANS_PER_FLOW_MAX
    for entry in expected(sample)["findings"]:
        assert set(entry["flows"]) <= set(ids), entry["finder"]


@pytest.mark.parametrize("sample", ONBOARDINGS)
def test_every_decision_tells_the_variant_its_flag_event_told(sample: str) -> None:
    """The event before the score; a later look at the flag may have told otherwise."""
    told: dict[str, str] = {}
    for record in sorted(log_records(sample), key=lambda it: int(it["timeUnixNano"])):
        named = record["attributes"]
        if record.get("eventName") == "feature_flag.evaluation":
            told.setdefault(named["feature_flag.context.id"], named["feature_flag.result.variant"])
    decisions = list(lines(sample, "decisions.jsonl.gz"))
    assert decisions
    for decision in decisions:
        assert decision["feature_flags"]["applicant-risk-model"] == told[decision["flow_id"]]


@pytest.mark.parametrize("sample", ONBOARDINGS)
def test_labels_come_after_their_decisions_and_not_for_all(sample: str) -> None:
    """Says nothing on whether the labels are right."""
    decisions = list(lines(sample, "decisions.jsonl.gz"))
    labelled = [decision for decision in decisions if "outcome" in decision]
    assert 0.2 < len(labelled) / len(decisions) < 0.8
    assert all(decision["outcome"]["time"] > decision["time"] for decision in labelled)
    assert {decision["outcome"]["label"] for decision in labelled} == {"fraud", "legitimate"}


def test_spans_show_the_gates_the_books_show() -> None:
    """The truth comes from the orchestrators' journals; here their spans must agree."""
    gates: dict[str, int] = {}
    first_account: dict[str, int] = {}
    for span in spans(ROLLOUT):
        trace_id, named = span["traceId"], span["attributes"]
        if named.get("retrospan.step.kind") == "gate":
            gates[trace_id] = int(span["endTimeUnixNano"])
        if named.get("retrospan.saga.step") == "create-identity" and span["kind"] == 3:
            started = int(span["startTimeUnixNano"])
            first_account[trace_id] = min(first_account.get(trace_id, started), started)
    flows = flow_ids(ROLLOUT)
    skipped = {flows[trace_id] for trace_id in first_account if trace_id not in gates}
    early = {
        flows[trace_id]
        for trace_id, started in first_account.items()
        if trace_id in gates and started < gates[trace_id]
    }
    assert skipped == finding(ROLLOUT, "governance.gate_missing")
    assert early == finding(ROLLOUT, "governance.gate_after_action")


def test_spans_show_the_orphans_the_books_show() -> None:
    """The truth comes from the systems' books; here their spans must agree."""
    made: dict[str, set[str]] = defaultdict(set)
    for span in spans(ROLLOUT):
        reference = span["attributes"].get("retrospan.saga.external_ref")
        if span["kind"] == 2 and span["name"] == "POST /accounts" and reference:
            made[span["traceId"]].add(reference)
    closed = {
        span["attributes"]["retrospan.step.key"]
        for span in spans(ROLLOUT)
        if span["kind"] == 3
        and span["name"] == "POST /closures"
        and span["attributes"].get("http.response.status_code") == "201"
    }
    flows = {flow_id: trace_id for trace_id, flow_id in flow_ids(ROLLOUT).items()}
    orphans = [it for it in expected(ROLLOUT)["residuals"] if it["kind"] == "account"]
    assert len(orphans) >= 10
    for orphan in orphans:
        assert orphan["ref"] in made[flows[orphan["flow"]]]
        assert orphan["ref"] not in closed


@pytest.mark.parametrize(
    ("finder", "count_min"),
    [
        ("saga.S1", 10),
        ("saga.S3", 4),
        ("saga.S4", 5),
        ("saga.S7", 5),
        ("saga.S11", 5),
        ("detector.below_threshold_action", 5),
        ("governance.gate_missing", 20),
        ("governance.gate_after_action", 10),
    ],
)
def test_rollout_breaks_every_promise_often_enough(finder: str, count_min: int) -> None:
    """Counts only; which flows they are is the truth file's business."""
    assert len(finding(ROLLOUT, finder)) >= count_min


def test_only_the_trusting_release_breaks_promises() -> None:
    """The contrast: the releases before and after meet the same callers and lose nothing."""
    culprits = {
        span["attributes"]["retrospan.flow.id"]
        for span in spans(ROLLOUT)
        if span["attributes"].get("retrospan.flow.version") == "3.2.0"
    }
    truth = expected(ROLLOUT)
    for entry in truth["findings"]:
        assert set(entry["flows"]) <= culprits, entry["finder"]
    assert {entry["flow"] for entry in truth["residuals"]} <= culprits


def test_new_model_is_surer_of_itself_and_people_override_some() -> None:
    """Medians of the books, per mille."""
    truth = expected(ROLLOUT)
    median = {model["variant"]: model["confidence_median_permille"] for model in truth["models"]}
    assert median["v2"] >= median["off"] + 80
    assert truth["reviews"]["overridden"] >= 5
    assert truth["lists"]["flag_changed_in_flight"]


def test_healthy_onboarding_is_healthy() -> None:
    """Expects refusals and failures, all of them undone in full."""
    truth = expected("onboarding-healthy")
    assert [entry["finder"] for entry in truth["findings"] if entry["count"]] == []
    assert set(truth["outcomes"]) <= {"succeeded", "compensated", "failed"}
    assert truth["outcomes"]["compensated"] >= 5
    assert "residuals" not in truth
