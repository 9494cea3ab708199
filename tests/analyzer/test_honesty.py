"""What is not recorded is never a pass, and names alone accuse nobody."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from analyzer.sagas import Coverage, coverage_of, verify
from store.conclusions import SagaVerdict, Verdict
from store.model import Span
from tests.analyzer.builder import LATER_NS, Recording, full_coverage, verdict_of, without

HIDDEN = (
    "retrospan.saga.role", "retrospan.saga.compensates", "retrospan.saga.step",
    "retrospan.saga.resource", "retrospan.saga.amount", "retrospan.saga.currency",
    "retrospan.saga.external_ref", "retrospan.idempotency_key", "retrospan.step.key",
    "retrospan.flow.output", "retrospan.flow.name",
)  # fmt: skip


def broken(check: str) -> Recording:
    """A flow that breaks one check, told in full."""
    flow = Recording(status="failed")
    reserved = flow.reserve(5, 8)
    if check == "S2":
        flow.refund(flow.charge(30, 40, http=402), 50, 60, ref="re-1")
        flow.release(reserved, 70, 80)
        return flow
    if check == "S11":
        flow.charge(20, 28, key="k1", http=503)
    charged = flow.charge(30, 40, ref="ch-1", **({"key": "k2"} if check == "S11" else {}))
    if check == "S3":
        flow.release(reserved, 42, 45)
    if check == "S4":
        flow.refund(charged, 50, 60, key="f1", error="timeout", at_callee=201, callee_ref="re-1")
    if check == "S7":
        flow.refund(charged, 50, 60, http=500)
    elif check != "S1":
        flow.refund(charged, 70, 80, key="f2", ref="re-2")
    if check != "S3":
        flow.release(reserved, 90, 95)
    return flow


def judged(spans: list[Span], coverage: Coverage) -> SagaVerdict:
    (rows,) = assign(spans, [], [], AssignSettings())
    return verify(derive(rows, DeriveSettings()), coverage)


@pytest.mark.parametrize("check", ["S1", "S2", "S3", "S4", "S7", "S11"])
def test_each_broken_flow_is_a_violation_when_all_is_told(check: str) -> None:
    results = {result.check: result.verdict for result in verdict_of(broken(check)).checks}
    assert results[check] is Verdict.VIOLATION


@settings(max_examples=60, deadline=None)
@given(data=st.data(), check=st.sampled_from(["S1", "S2", "S3", "S4", "S7", "S11"]))
def test_hiding_attributes_never_turns_a_violation_into_a_pass(
    data: st.DataObject, check: str
) -> None:
    """Any attributes of any spans; what names the callee and the operation stays."""
    flow = broken(check)
    spans = []
    for span in flow.all_spans():
        hidden = data.draw(st.sets(st.sampled_from(HIDDEN), max_size=len(HIDDEN)))
        spans += without([span], *hidden) if hidden else [span]
    results = {it.check: it for it in judged(spans, full_coverage(spans)).checks}
    assert results[check].verdict is not Verdict.PASS, results[check]


@pytest.mark.parametrize("check", ["S1", "S2", "S3", "S4", "S7"])
def test_without_any_of_our_attributes_nobody_is_accused_and_nothing_passes(check: str) -> None:
    """Only HTTP is left: what the words suggest is suspected at most."""
    flow = broken(check)
    spans = without(flow.all_spans(), "retrospan.")
    root = replace(spans[0], status="error", attributes={"http.response.status_code": 500})
    verdict = judged([root, *spans[1:]], full_coverage(spans))
    for result in verdict.checks:
        if result.check != "S11":
            assert result.verdict not in (Verdict.VIOLATION, Verdict.PASS), result
    assert verdict.residual_effects == []


def test_words_alone_suspect_what_attributes_would_prove() -> None:
    spans = without(broken("S1").all_spans(), "retrospan.")
    root = replace(spans[0], status="error", attributes={"http.response.status_code": 500})
    refunded = broken("S3")
    spans = without(refunded.all_spans(), "retrospan.")
    results = judged([root, *spans[1:]], full_coverage(spans)).checks
    by_check = {result.check: result for result in results}
    assert by_check["S3"].verdict is Verdict.SUSPECTED
    assert "retrospan.saga.role" in by_check["S3"].missing


def test_losing_the_orchestrators_data_makes_the_verdict_unknown() -> None:
    flow = broken("S1")
    spans = [span for span in flow.all_spans() if span.service != "orchestrator"]
    results = {it.check: it for it in judged(spans, full_coverage(spans)).checks}
    assert results["S1"].verdict is Verdict.UNKNOWN
    assert "the root span of the flow" in results["S1"].missing


def test_losing_any_other_services_data_leaves_what_the_orchestrator_saw() -> None:
    flow = broken("S1")
    spans = [span for span in flow.all_spans() if span.service != "gateway-eu"]
    results = {it.check: it for it in judged(spans, full_coverage(spans)).checks}
    assert results["S1"].verdict is Verdict.VIOLATION


@pytest.mark.parametrize("check", ["S1", "S2", "S4", "S7", "S11"])
def test_losing_a_span_of_the_flow_never_gives_a_pass(check: str) -> None:
    """Whichever call is lost while its callee's span remains, the gap is seen."""
    flow = broken(check)
    spans = flow.all_spans()
    for lost in (span for span in spans if span.kind == "client"):
        rest = [span for span in spans if span is not lost]
        result = {it.check: it for it in judged(rest, full_coverage(spans)).checks}["S1"]
        assert result.verdict is not Verdict.VIOLATION or check in ("S1", "S7")


def test_coverage_counts_each_service_by_itself() -> None:
    spans = broken("S1").all_spans()
    coverage = coverage_of(spans)
    assert coverage.data_end_ns == max(span.end_ns or 0 for span in spans)
    assert full_coverage(spans).services["orchestrator"].last_ns == LATER_NS
