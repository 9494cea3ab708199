"""Random sagas: planted faults are found, clean ones are left in peace, ignorance is no proof.

What is proven holds for the shapes `worlds.py` can draw; that systems have such shapes is what the
recorded samples are for.
"""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sagas import coverage_of, verify
from store.conclusions import Verdict
from store.model import Span
from tests.analyzer.builder import at, full_coverage, without
from tests.analyzer.sagas.worlds import FAULTS, Plan, flows_of, judged, plans, planted, tell

FEW = settings(max_examples=25, deadline=None)
SOME = settings(max_examples=60, deadline=None)
SILENT = {Verdict.PASS, Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize("fault", FAULTS)
@FEW
@given(data=st.data())
def test_a_planted_fault_is_found_and_its_steps_are_named(fault: str, data: st.DataObject) -> None:
    told = tell(data.draw(planted(fault)), fault)
    result = judged(told.spans)[fault]
    assert result.verdict is Verdict.VIOLATION, result
    named = {it.span_id for it in result.evidence}
    assert told.blamed <= named, result
    assert told.blamed


@SOME
@given(plan=plans())
def test_a_clean_saga_is_left_in_peace(plan: Plan) -> None:
    results = judged(tell(plan).spans)
    assert {name: it for name, it in results.items() if it.verdict not in SILENT} == {}
    assert results["S1"].verdict is (Verdict.PASS if plan.aborts else Verdict.NOT_APPLICABLE)


@FEW
@given(
    clean=st.lists(plans(), min_size=1, max_size=3),
    fault=st.sampled_from(FAULTS),
    offsets=st.lists(st.floats(0, 300), min_size=4, max_size=4),
    data=st.data(),
)
def test_flows_at_the_same_time_do_not_answer_for_each_other(
    clean: list[Plan], fault: str, offsets: list[float], data: st.DataObject
) -> None:
    told = tell(data.draw(planted(fault)), fault, number=1, offset=offsets[0])
    spans = list(told.spans)
    for number, (plan, offset) in enumerate(zip(clean, offsets[1:], strict=False), 2):
        spans += tell(plan, number=number, offset=offset).spans
    coverage = full_coverage(spans)
    accused = {
        flow.flow_id
        for flow in flows_of(spans)
        if verify(flow, coverage).verdict is Verdict.VIOLATION
    }
    assert accused == {"trip-1"}


def cut(spans: list[Span], ms: float, *, unfinished: bool) -> list[Span]:
    """What was recorded until an instant: spans that went on are missing, or without an end."""
    kept = []
    for span in spans:
        if span.end_ns is not None and span.end_ns <= at(ms):
            kept.append(span)
        elif unfinished and span.start_ns <= at(ms):
            early = without([span], "http.response", "error", "retrospan.flow.output",
                            "retrospan.saga.external_ref")  # fmt: skip
            kept.append(replace(early[0], end_ns=None, status="unset"))
    return kept


@SOME
@given(plan=plans(), share=st.floats(0, 1), unfinished=st.booleans())
def test_a_clean_saga_cut_off_by_the_end_of_the_data_is_never_accused(
    plan: Plan, share: float, unfinished: bool
) -> None:
    spans = tell(plan).spans
    end = max(span.end_ns or 0 for span in spans) - at(0)
    kept = cut(spans, share * end / 1e6, unfinished=unfinished)
    for flow in flows_of(kept):
        verdict = verify(flow, coverage_of(kept))
        accused = [it for it in verdict.checks if it.verdict is Verdict.VIOLATION]
        assert accused == []


@SOME
@given(plan=plans(), fault=st.sampled_from([None, *FAULTS]), data=st.data())
def test_deleting_the_data_of_a_service_accuses_nobody_anew(
    plan: Plan, fault: str | None, data: st.DataObject
) -> None:
    plan = plan if fault is None else data.draw(planted(fault))
    spans = tell(plan, fault).spans
    before = judged(spans)
    gone = data.draw(st.sampled_from(sorted({span.service for span in spans})))
    kept = [span for span in spans if span.service != gone]
    for flow in flows_of(kept):
        for result in verify(flow, full_coverage(spans)).checks:
            known = before[result.check].verdict is Verdict.VIOLATION
            assert known or result.verdict is not Verdict.VIOLATION, (gone, result)


@FEW
@given(plan=plans(aborts=True), fault=st.sampled_from([None, "S1"]))
def test_without_the_data_of_the_orchestrator_nobody_knows_what_was_undone(
    plan: Plan, fault: str | None
) -> None:
    spans = tell(plan, fault).spans
    kept = [span for span in spans if span.service != "orchestrator"]
    for flow in flows_of(kept):
        verdicts = {it.check: it.verdict for it in verify(flow, full_coverage(spans)).checks}
        assert verdicts["S1"] is Verdict.UNKNOWN


def hide(spans: list[Span], seed: int) -> list[Span]:
    """The spans without some of our attributes: some names everywhere, any name here and there."""
    rng = random.Random(seed)
    ours = sorted({name for span in spans for name in span.attributes if "retrospan" in name})
    everywhere = set(rng.sample(ours, rng.choice([0, 0, 1, 1, 2, 3])))
    share = rng.choice([0, 0.02, 0.05, 0.2, 0.5])
    hidden: list[Span] = []
    for span in spans:
        names = set(everywhere)
        if rng.random() < share:
            names |= set(rng.sample(ours, rng.choice([1, 1, 2, 4, len(ours)])))
        hidden += without([span], *names) if names else [span]
    return hidden


@settings(max_examples=150, deadline=None)
@given(fault=st.sampled_from([None, *FAULTS]), seed=st.integers(0, 2**32), data=st.data())
def test_hiding_attributes_neither_acquits_nor_accuses(
    fault: str | None, seed: int, data: st.DataObject
) -> None:
    """Any of our attributes on any span; the callee, the operation and the status stay."""
    spans = tell(data.draw(plans() if fault is None else planted(fault)), fault).spans
    before = judged(spans)
    for check, result in judged(hide(spans, seed), full_coverage(spans)).items():
        if before[check].verdict is Verdict.VIOLATION:
            assert result.verdict is not Verdict.PASS, result
        else:
            assert result.verdict is not Verdict.VIOLATION, result
