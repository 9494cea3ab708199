"""Flows come back equal, whatever is in them."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from store.conclusions import Attempt, CriticalSegment, Flow, FlowOutcome, Step, StepOutcome
from store.lease import Store
from store.read import read_flows
from store.values import to_json
from store.write import replace_flows

TEXT = st.text(max_size=6)
OPTIONAL = st.none() | TEXT
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
NS = st.integers(0, 2**63 - 1)
OPTIONAL_NS = st.none() | NS
TRACE_IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)
SPAN_IDS = st.binary(min_size=8, max_size=8).map(bytes.hex)
MONEY = st.none() | st.decimals(allow_nan=False) | st.just(Decimal("1.50"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
OUTCOMES = st.sampled_from(StepOutcome)
ATTEMPTS = st.builds(
    Attempt,
    trace_id=TRACE_IDS,
    span_id=SPAN_IDS,
    start_ns=NS,
    end_ns=OPTIONAL_NS,
    outcome=OUTCOMES,
    status=TEXT,
    error=OPTIONAL,
    http_status=st.none() | st.integers(100, 599),
    request=JSON,
    response=JSON,
    has_request=st.booleans(),
    has_response=st.booleans(),
    idempotency_key=OPTIONAL,
    breaker_state=OPTIONAL,
    timeout_ms=OPTIONAL_NS,
    callee_outcome=st.none() | OUTCOMES,
    callee_span_id=st.none() | SPAN_IDS,
    callee_start_ns=OPTIONAL_NS,
    callee_end_ns=OPTIONAL_NS,
    took_effect=st.none() | st.booleans(),
    external_ref=OPTIONAL,
)
STEPS = st.builds(
    Step,
    step_id=TEXT,
    key=TEXT,
    name=TEXT,
    kind=TEXT,
    service=TEXT,
    callee=TEXT,
    operation=TEXT,
    outcome=OUTCOMES,
    start_ns=NS,
    end_ns=OPTIONAL_NS,
    attempts=st.lists(ATTEMPTS, max_size=3).map(tuple),
    parent_step_id=OPTIONAL,
    saga_id=OPTIONAL,
    saga_step=OPTIONAL,
    role=OPTIONAL,
    role_grade=st.none() | st.integers(1, 5),
    compensates=OPTIONAL,
    compensates_grade=st.none() | st.integers(1, 5),
    resource=OPTIONAL,
    amount=MONEY,
    currency=OPTIONAL,
    max_attempts=OPTIONAL_NS,
    backoff_initial_ms=OPTIONAL_NS,
    backoff_coefficient=MONEY,
)
FLOWS = st.builds(
    Flow,
    flow_id=TEXT,
    name=TEXT,
    version=TEXT,
    outcome=st.sampled_from(FlowOutcome),
    start_ns=NS,
    end_ns=OPTIONAL_NS,
    trace_ids=TEXTS,
    span_count=NS,
    decision_ids=TEXTS,
    architecture=TEXT,
    replayability=TEXT,
    complete=st.booleans(),
    service=TEXT,
    services=TEXTS,
    steps=st.lists(STEPS, max_size=3).map(tuple),
    critical_path=st.lists(
        st.builds(CriticalSegment, span_id=TEXT, self_ns=st.integers(-(2**63), 2**63)), max_size=2
    ).map(tuple),
    input=JSON,
    output=JSON,
    draws=st.lists(JSON, max_size=2).map(tuple),
    ties=TEXTS,
    evidence_gaps=TEXTS,
    sampling=TEXT,
    sampling_weight=st.none() | st.fractions(),
)


@settings(max_examples=12, deadline=None)
@given(flows=st.lists(FLOWS, max_size=4, unique_by=lambda flow: flow.flow_id))
def test_flows_come_back_equal_from_a_reopened_file(flows: list[Flow]) -> None:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "s.duckdb")
        with store.lease("write", create=True) as session:
            assert replace_flows(
                session,
                generation=0,
                flows=flows,
                members={},
                sagas=(),
                findings=(),
                code_digest="c",
            )
        with store.lease("read") as session:
            got = read_flows(session)
    assert got == sorted(flows, key=lambda flow: (flow.start_ns, flow.flow_id.encode()))
    amounts = [[str(step.amount) for step in flow.steps] for flow in got]
    by_id = {flow.flow_id: flow for flow in flows}
    assert amounts == [[str(s.amount) for s in by_id[flow.flow_id].steps] for flow in got]
    for flow in got:
        for ours, theirs in zip(flow.steps, by_id[flow.flow_id].steps, strict=True):
            for one, other in zip(ours.attempts, theirs.attempts, strict=True):
                assert to_json([one.request, one.response]) == to_json(
                    [other.request, other.response]
                )
