"""The payment recordings keep their promises."""

from __future__ import annotations

import gzip
from collections import defaultdict

import pytest

from tests.sample_traces.recorded import (
    PAYMENTS,
    SAMPLES,
    expected,
    finding,
    flow_ids,
    lines,
    spans,
)

WITH_OURS = PAYMENTS[:2]
SPANS_PER_FLOW_MIN, SPANS_PER_FLOW_MAX = 3, 60


@pytest.mark.parametrize("sample", WITH_OURS)
def test_every_expected_flow_has_exactly_one_trace(sample: str) -> None:
    """Cannot prove that the flow's trace is complete."""
    truth = expected(sample)
    ids = list(flow_ids(sample).values())
    assert len(ids) == len(set(ids)) == truth["flows"]
    for entry in truth["findings"]:
        assert set(entry["flows"]) <= set(ids), entry["finder"]


@pytest.mark.parametrize("sample", PAYMENTS)
def test_every_flow_has_a_sane_number_of_spans(sample: str) -> None:
    """Cannot prove that no span is missing from the middle of a flow."""
    counts: dict[str, int] = defaultdict(int)
    for span in spans(sample):
        counts[span["traceId"]] += 1
    assert len(counts) == expected(sample)["flows"]
    assert min(counts.values()) >= SPANS_PER_FLOW_MIN
    assert max(counts.values()) <= SPANS_PER_FLOW_MAX
    assert 15 <= sum(counts.values()) / len(counts) <= 25


def test_plain_sample_has_nothing_of_ours() -> None:
    """Its truth file may of course name our finders."""
    folder = SAMPLES / "payment-brownout-plain"
    assert not (folder / "decisions.jsonl.gz").exists()
    for path in folder.glob("*.gz"):
        assert b"retrospan." not in gzip.decompress(path.read_bytes()), path.name


def test_plain_sample_has_the_same_spans_as_its_source() -> None:
    """Compares ids, times and names, not every attribute."""

    def keys(sample: str) -> list[tuple[str, str, str, str]]:
        return [(s["traceId"], s["spanId"], s["name"], s["endTimeUnixNano"]) for s in spans(sample)]

    assert keys("payment-brownout-plain") == keys("payment-brownout")


@pytest.mark.parametrize("sample", WITH_OURS)
def test_every_decision_belongs_to_a_scoring_call(sample: str) -> None:
    """Cannot prove that every scoring call left a decision."""
    names = {span["spanId"]: span["attributes"].get("url.template") for span in spans(sample)}
    flows = flow_ids(sample)
    for record in lines(sample, "decisions.jsonl.gz"):
        assert names[record["span_id"]] == "/scores"
        assert flows[record["trace_id"]] == record["flow_id"]


def test_spans_show_the_key_changes_the_books_show() -> None:
    """The truth comes from the gateways' books; here the callers' spans must agree."""
    keys: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for span in spans("payment-brownout"):
        named = span["attributes"]
        if span["kind"] == 3 and "retrospan.idempotency_key" in named:
            step = (named["server.address"], named["url.template"], named["retrospan.step.key"])
            keys[(span["traceId"], *step)].add(named["retrospan.idempotency_key"])
    flows = flow_ids("payment-brownout")
    seen = {flows[step[0]] for step, used in keys.items() if len(used) > 1}
    assert seen == finding("payment-brownout", "saga.S11")


def test_spans_show_the_duplicate_charges_the_books_show() -> None:
    """The truth comes from the gateways' books; here their spans must agree."""
    charges: dict[str, set[str]] = defaultdict(set)
    for span in spans("payment-brownout"):
        named = span["attributes"]
        if span["kind"] == 2 and span["name"] == "POST /charges":
            reference = named.get("retrospan.saga.external_ref")
            charges[span["traceId"]] |= {reference} - {None}
    flows = flow_ids("payment-brownout")
    seen = {flows[trace_id] for trace_id, made in charges.items() if len(made) > 1}
    assert seen == finding("payment-brownout", "detector.duplicate_effect")


@pytest.mark.parametrize(
    ("finder", "count_min"),
    [
        ("saga.S1", 5),
        ("saga.S2", 5),
        ("saga.S3", 5),
        ("saga.S4", 5),
        ("saga.S7", 5),
        ("saga.S11", 20),
        ("detector.duplicate_effect", 12),
        ("detector.below_threshold_action", 15),
    ],
)
def test_brownout_breaks_every_promise_often_enough(finder: str, count_min: int) -> None:
    """Counts only; which flows they are is the truth file's business."""
    assert len(finding("payment-brownout", finder)) >= count_min


def test_only_the_faulty_release_breaks_promises() -> None:
    """A notification may fail in any release: that one step is tolerated."""
    culprits = set()
    for span in spans("payment-brownout"):
        named = span["attributes"]
        if named.get("retrospan.flow.version") == "2.4.0":
            culprits.add(named["retrospan.flow.id"])
    for entry in expected("payment-brownout")["findings"]:
        if entry["finder"] != "saga.S12":
            assert set(entry["flows"]) <= culprits, entry["finder"]
    assert {entry["flow"] for entry in expected("payment-brownout")["residuals"]} <= culprits


def test_every_release_has_enough_flows_to_learn_from() -> None:
    """130 flows are a floor, not a proof that every branch was taken."""
    versions = expected("payment-brownout")["versions"]
    assert {entry["version"] for entry in versions} == {"2.3.0", "2.4.0", "2.4.1"}
    assert all(entry["flows"] >= 130 for entry in versions)


def test_healthy_sample_is_healthy() -> None:
    """Expects declines and denials, all of them undone in full."""
    truth = expected("payment-healthy")
    assert [entry["finder"] for entry in truth["findings"] if entry["count"]] == []
    assert set(truth["outcomes"]) <= {"succeeded", "compensated", "failed"}
    assert truth["outcomes"]["compensated"] >= 10
    assert "residuals" not in truth
