"""What a flow stands for, from what samplers left behind."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.derive.sampling import probability_of, sampling_of
from analyzer.rebuild import RebuildSettings, rebuild
from store.conclusions import Verdict
from store.lease import Store
from store.model import Attributes, Batch, Span
from store.read import read_flow, read_sagas
from store.write import write_batch
from tests.analyzer.builder import LATER_NS, TRACE, Recording, make_span

OTHER_TRACE = "0" * 31 + "2"


def span(state: str = "", *, trace: str = TRACE, attributes: Attributes | None = None) -> Span:
    made = make_span("s", 0, 1, number=1, trace=trace, attributes=attributes)
    return replace(made, trace_state=state)


@pytest.mark.parametrize(
    ("threshold", "probability"),
    [
        ("0", Fraction(1)),
        ("8", Fraction(1, 2)),
        ("c", Fraction(1, 4)),
        ("fd70a4", Fraction(0x28F5C, 16**6)),  # about 1 in 100, as the specification writes it
        ("ffffffffffffff", Fraction(1, 2**56)),
        ("80000000000000", Fraction(1, 2)),
        ("", None),
        ("x", None),
        ("C", None),
        ("0" * 15, None),
    ],
)
def test_a_threshold_is_an_exact_probability(threshold: str, probability: Fraction | None) -> None:
    assert probability_of(threshold) == probability


@given(st.integers(0, 2**56 - 1))
def test_zeros_at_the_end_of_a_threshold_say_nothing(threshold: int) -> None:
    written = f"{threshold:014x}"
    expected = Fraction(2**56 - threshold, 2**56)
    assert probability_of(written) == expected
    assert probability_of(written.rstrip("0") or "0") == expected


@pytest.mark.parametrize(
    ("spans", "kind", "weight"),
    [
        ([span()], "assumed_all", Fraction(1)),
        ([span("ot=th:0")], "all", Fraction(1)),
        ([span("ot=th:c"), span()], "weighted", Fraction(4)),
        ([span("vendor=x;th:8, ot=rv:0123456789abcd;th:8 ")], "weighted", Fraction(2)),
        ([span("ot=rv:0123456789abcd"), span("x=ot=th:8")], "assumed_all", Fraction(1)),
        ([span("ot=th:8"), span("ot=th:c")], "unknown", None),
        ([span("ot=th:8"), span("ot=th:8", trace=OTHER_TRACE)], "unknown", None),
        ([span("ot=th:0"), span("ot=th:0", trace=OTHER_TRACE)], "all", Fraction(1)),
        ([span("ot=th:zz")], "unknown", None),
        ([span("ot=p:0")], "all", Fraction(1)),
        ([span("ot=p:8;r:10"), span()], "weighted", Fraction(256)),
        ([span("ot=p:62")], "weighted", Fraction(2**62)),
        ([span("ot=p:63;r:3")], "unknown", None),
        ([span("ot=p:-1")], "unknown", None),
        ([span("ot=p:")], "unknown", None),
        ([span("ot=r:10")], "unknown", None),
        ([span("ot=th:8;p:3")], "weighted", Fraction(2)),
        ([span("ot=th:")], "unknown", None),
        ([span(attributes={"sampler.type": "const", "sampler.param": True})], "all", Fraction(1)),
        (
            [span(attributes={"sampler.type": "probabilistic", "sampler.param": 0.1})],
            "unknown",
            None,
        ),
        ([span(attributes={"sampler.type": "ratelimiting", "sampler.param": 1})], "unknown", None),
        ([span("ot=th:8", attributes={"sampling.priority": 1})], "unknown", None),
        ([span(attributes={"tailsampling.policy": "errors"})], "unknown", None),
        ([span(attributes={"otel.scope.tailsampling.policy": "errors"})], "unknown", None),
        ([span(attributes={"SampleRate": 20})], "unknown", None),
        ([span(attributes={"SamplingRate": "0.1"})], "unknown", None),
        ([span(attributes={"SampleRate": 1})], "all", Fraction(1)),
        ([span(attributes={"_dd.agent_psr": 1.0})], "all", Fraction(1)),
        ([], "assumed_all", Fraction(1)),
    ],
)
def test_what_samplers_left_decides(spans: list[Span], kind: str, weight: Fraction | None) -> None:
    found = sampling_of(spans)
    assert (found.kind, found.weight) == (kind, weight)
    assert bool(found.reason) is (kind == "unknown")


@pytest.mark.parametrize(
    ("marked", "everything", "verdict"),
    [
        (False, False, Verdict.VIOLATION),
        (True, False, Verdict.UNKNOWN),
        (False, True, Verdict.UNKNOWN),
    ],
)
def test_an_absence_in_a_flow_of_unknown_sampling_is_no_violation(
    tmp_path: Path, marked: bool, everything: bool, verdict: Verdict
) -> None:
    flow = Recording(status="failed")
    flow.charge(30, 40, ref="ch-1")
    later = replace(flow.root(), trace_id="9" * 32, start_ns=LATER_NS, end_ns=LATER_NS + 1)
    later = replace(later, attributes={})
    spans = [*flow.all_spans(), later]
    if marked:
        spans[1] = replace(spans[1], attributes={**spans[1].attributes, "sampling.priority": 2})
    store = Store(tmp_path / "s.duckdb")
    with store.lease("test", create=True) as session:
        batch = Batch(source="t", content_sha256="1", reader="t/1", rules_sha256="0", spans=spans)
        write_batch(session, batch)
    rebuild(store, RebuildSettings(unknown_sampling=everything))
    with store.lease("test") as session:
        (saga,) = read_sagas(session, ["order-1"])
        derived = read_flow(session, "order-1")
    assert saga.verdict is verdict
    unknown = marked or everything
    assert derived.sampling == ("unknown" if unknown else "assumed_all")
    assert derived.sampling_weight == (None if unknown else 1)
