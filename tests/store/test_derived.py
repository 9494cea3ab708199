"""Conclusions replace only what they should."""

from dataclasses import replace
from decimal import Decimal

import pytest

from store.conclusions import (
    Attempt,
    CheckResult,
    Divergence,
    Evidence,
    Finding,
    Flow,
    FlowOutcome,
    Incident,
    ReplayResult,
    ResidualEffect,
    SagaVerdict,
    Step,
    StepOutcome,
    Verdict,
)
from store.lease import Session
from store.read import (
    count_violations,
    read_findings,
    read_flows,
    read_incident,
    read_incidents,
    read_replays,
    read_sagas,
)
from store.write import replace_flows, write_incident, write_replays

EVIDENCE = Evidence(kind="span", trace_id="ab", span_id="cd")
FINDING = Finding(
    finding_id="f1",
    detector="retry_storm",
    scope="flow",
    severity="warning",
    verdict=Verdict.VIOLATION,
    flow_id="flow-1",
    message="9 attempts",
    remedy="back off",
    evidence=(EVIDENCE,),
    facts={"attempts": 9, "ratio": 0.5, "where": ["a", None]},
)
SAGA = SagaVerdict(
    flow_id="flow-1",
    saga_id="s",
    name="payment",
    verdict=Verdict.SUSPECTED,
    checks=(
        CheckResult(
            check="S1",
            verdict=Verdict.SUSPECTED,
            message="not undone",
            evidence=(EVIDENCE,),
            missing=("ledger",),
        ),
        CheckResult(check="S2", verdict=Verdict.PASS, message=""),
    ),
    residual_effects=(
        ResidualEffect(
            step="charge",
            callee="bank",
            resource=None,
            amount=Decimal("12.30"),
            currency="EUR",
            external_ref="r",
            idempotency_key=None,
            evidence=EVIDENCE,
        ),
    ),
)
REPLAY = ReplayResult(
    flow_id="flow-1",
    mode="trace",
    verdict="diverged",
    digest="d",
    outcome="failed",
    virtual_duration_ns=5,
    virtual_low_ns=4,
    virtual_high_ns=6,
    program_digest="p",
    program_flows=120,
    leave_one_out=True,
    flags=("ambiguous",),
    divergences=(
        Divergence(kind="args_changed", step_id="1", recorded={"a": 1}, replayed=2.5, path="a"),
    ),
    answers={"exact": 3},
    events=({"kind": "call", "at": 0},),
)


def put(session: Session, *flows: Flow, generation: int = 0, **more: object) -> bool:
    """`replace_flows` with what the test does not care about filled in."""
    plain: dict[str, object] = {"members": {}, "sagas": (), "findings": (), "code_digest": "c"}
    return replace_flows(session, generation=generation, flows=flows, **(plain | more))  # type: ignore[arg-type]


def bodies(session: Session) -> list[str]:
    """All stored bodies."""
    rows = session.cursor.execute("SELECT body FROM payloads ORDER BY body").fetchall()
    return [body for (body,) in rows]


def test_a_flow_takes_the_place_of_its_earlier_version(session: Session, flow: Flow) -> None:
    put(session, flow, replace(flow, flow_id="flow-2"), sagas=[SAGA], findings=[FINDING])
    changed = replace(flow, steps=flow.steps[:1], name="refund")
    put(session, changed)
    assert read_flows(session) == [changed, replace(flow, flow_id="flow-2")]
    assert read_sagas(session) == []
    assert read_findings(session) == []


def test_the_gravest_findings_come_first_and_a_limit_keeps_those(
    session: Session, flow: Flow
) -> None:
    graded = [("info", None), ("warning", "flow-1"), ("critical", "flow-1"), ("warning", None)]
    told = [
        replace(FINDING, finding_id=f"f{n}", severity=severity, flow_id=flow_id)
        for n, (severity, flow_id) in enumerate(graded)
    ]
    put(session, flow, findings=told)
    ordered = [it.finding_id for it in read_findings(session, gravest_first=True)]
    assert ordered == ["f2", "f3", "f1", "f0"]
    kept = read_findings(session, gravest_first=True, limit=2)
    assert [it.finding_id for it in kept] == ordered[:2]
    assert count_violations(session) == (0, 4)
    assert count_violations(session, ["flow-1"]) == (0, 2)


def test_a_removed_flow_leaves_nothing(session: Session, flow: Flow) -> None:
    members = {"flow-1": [("a" * 32, "b" * 16)]}
    put(session, flow, members=members, sagas=[SAGA], findings=[FINDING])
    assert bodies(session)
    put(session, removed_flow_ids=["flow-1"])
    left = [
        session.cursor.table(name).fetchall()
        for name in ("flows", "flow_members", "steps", "attempts", "sagas", "findings", "payloads")
    ]
    assert left == [[]] * 7


def test_a_body_stays_while_any_attempt_shows_it(session: Session, flow: Flow) -> None:
    put(session, flow, replace(flow, flow_id="flow-2"))
    before = bodies(session)
    put(session, removed_flow_ids=["flow-1"])
    assert bodies(session) == before
    assert read_flows(session) == [replace(flow, flow_id="flow-2")]


def test_findings_of_the_population_are_replaced_per_detector(session: Session) -> None:
    of_all = replace(FINDING, finding_id="p1", scope="population", flow_id=None)
    other = replace(of_all, finding_id="p2", detector="n_plus_one")
    put(session, findings=[of_all, other, FINDING])
    newer = replace(of_all, finding_id="p3")
    put(session, findings=[newer])
    assert read_findings(session) == [other, newer, FINDING]
    put(session, population_detectors=["retry_storm", "n_plus_one"])
    assert read_findings(session) == [FINDING]
    assert read_findings(session, ["flow-1"]) == [FINDING]
    assert read_findings(session, ["flow-9"]) == []


def test_verdicts_come_back_and_are_rows_for_sql(session: Session) -> None:
    put(session, sagas=[SAGA])
    assert read_sagas(session) == read_sagas(session, ["flow-1"]) == [SAGA]
    checks = session.cursor.execute(
        'SELECT "check", verdict, message FROM saga_checks ORDER BY ordinal'
    ).fetchall()
    assert checks == [("S1", "suspected", "not undone"), ("S2", "pass", "")]
    effects = session.cursor.execute(
        "SELECT step, amount, currency, resource FROM residual_effects"
    )
    assert effects.fetchall() == [("charge", Decimal("12.300000000"), "EUR", None)]


def test_a_replay_takes_the_place_of_the_same_mode_and_scenario(session: Session) -> None:
    what_if = replace(REPLAY, scenario="no_retry", claim="C1", control_digest="d")
    write_replays(session, [REPLAY, what_if])
    again = replace(REPLAY, verdict="identical", divergences=())
    write_replays(session, [REPLAY, again])
    assert read_replays(session) == read_replays(session, ["flow-1"]) == [again, what_if]
    write_replays(session, [])


def test_an_incident_takes_the_place_of_the_one_with_its_id(session: Session) -> None:
    incident = Incident(
        incident_id="i1",
        start_ns=5,
        end_ns=9,
        declared_by="burn_rate",
        title="payments fail",
        flow_ids=("flow-1",),
        services=("bank",),
    )
    write_incident(session, incident)
    recovered = replace(incident, recovered_ns=8)
    write_incident(session, recovered)
    earlier = replace(incident, incident_id="i0", start_ns=1)
    write_incident(session, earlier)
    assert read_incidents(session) == [earlier, recovered]
    assert read_incident(session, "i1") == recovered


@pytest.fixture
def flow() -> Flow:
    """A flow with two steps and three attempts."""
    attempt = Attempt(
        trace_id="a" * 32,
        span_id="b" * 16,
        start_ns=1,
        end_ns=2,
        outcome=StepOutcome.ERROR,
        status="503",
        request={"amount": 12.5},
        response="busy",
        has_request=True,
        has_response=True,
    )
    charge = Step(
        step_id="1",
        key="",
        name="charge",
        kind="call",
        service="payments",
        callee="bank",
        operation="POST /charge",
        outcome=StepOutcome.OK,
        start_ns=1,
        end_ns=9,
        attempts=(attempt, replace(attempt, outcome=StepOutcome.OK, status="ok")),
        amount=Decimal("12.50"),
    )
    return Flow(
        flow_id="flow-1",
        name="payment",
        version="1",
        outcome=FlowOutcome.SUCCEEDED,
        start_ns=1,
        end_ns=9,
        trace_ids=("a" * 32,),
        span_count=3,
        decision_ids=(),
        architecture="central",
        replayability="R4",
        complete=True,
        service="payments",
        services=("bank", "payments"),
        steps=(charge, replace(charge, step_id="2", attempts=(attempt,))),
        critical_path=(),
    )
