"""The services of the onboarding system behave as its recordings' stories say."""

from __future__ import annotations

from pathlib import Path

from opentelemetry.context import Context

from sample_traces.services.faults import load_plan
from sample_traces.services.flags import evaluate, write_flags
from sample_traces.services.onboarding.accounts import Accounts
from sample_traces.services.onboarding.applicants import applicant
from sample_traces.services.onboarding.risk_model import opinion
from sample_traces.services.onboarding.truth import (
    FlowTruth,
    breaks_s1,
    breaks_s4,
    gate_skipped,
    overridden,
    straddled,
)
from sample_traces.services.policy import load_policy
from sample_traces.services.web import Json
from tests.sample_traces.surroundings import Silence, host, request

FLAG = "applicant-risk-model"


def test_flag_follows_its_rules_and_tells_of_each_look(tmp_path: Path) -> None:
    """A quarter from 120, all from 210, none again from 300."""
    plan = load_plan("onboarding-model-rollout")
    surroundings = host(plan, "onboarding-orchestrator", run_dir=tmp_path)

    def share(index: int) -> float:
        write_flags(tmp_path, plan, index)
        names = [plan.flow_id(number) for number in range(400)]
        variants = [
            evaluate(surroundings, FLAG, name, number, Context())
            for number, name in enumerate(names)
        ]
        return variants.count("v2") / len(variants)

    assert [share(0), share(210), share(300)] == [0.0, 1.0, 0.0]
    assert 0.18 < share(120) < 0.32
    telemetry = surroundings.telemetry
    assert isinstance(telemetry, Silence)
    assert len(telemetry.events) == 1600
    assert {event["event_name"] for event in telemetry.events} == {"feature_flag.evaluation"}


def test_new_model_is_surer_than_the_old_one_of_everybody() -> None:
    """Its confidence, not its truth."""
    plan = load_plan("onboarding-model-rollout")
    people = [applicant(plan, index) for index in range(plan.flows)]
    pairs = [(opinion(plan, one, "off"), opinion(plan, one, "v2")) for one in people]
    surer = sum(new[1] > old[1] for old, new in pairs)
    assert surer > 0.9 * len(pairs)
    assert len({old[0] for old, _ in pairs}) == 2


def test_policy_r4_lets_low_confidence_pass_and_the_others_do_not() -> None:
    """Approvals only; a spot check comes before them."""
    versions = ("r3", "r4", "r5")
    judged = {v: load_policy("onboarding", v).judge("approve", 0.7).outcome for v in versions}
    assert judged == {"r3": "escalate", "r4": "allow", "r5": "escalate"}
    assert load_policy("onboarding", "r3").judge("approve", 0.9, draw=0.01).outcome == "escalate"
    assert load_policy("onboarding", "r3").judge("reject", 0.9, draw=0.01).outcome == "deny"


def test_account_is_made_once_for_a_key_and_closed_once_per_key() -> None:
    """In one process; the recordings show it over HTTP."""
    surroundings = host(load_plan("onboarding-healthy"), "billing")
    accounts = Accounts(surroundings)
    body = {"applicant_id": "newcomer-000005", "amount": "9.90", "currency": "EUR"}
    made = [accounts.create(request(body, "k")) for _ in range(2)]
    assert made[0].body == made[1].body and made[0].effect and not made[1].effect
    closing = {**body, "account_id": made[0].body["account_id"]}
    closed = {accounts.close(request(closing, key)).body["closure_id"] for key in ("c:1", "c:2")}
    assert len(closed) == 2
    assert len(surroundings.book.page("accounts")) == 1


def flow(journal: Json, **entries: list[Json]) -> FlowTruth:
    """An aborted onboarding with these entries in the books."""
    whole = {"output": {"status": "failed"}, "steps": [], "compensations": [], **journal}
    return FlowTruth(flow_id="applicant-000001", journal=whole, **entries)  # type: ignore[arg-type]


def test_truth_takes_a_late_closure_for_a_closure() -> None:
    """The caller's timeout does not make an account stand."""
    steps = [{"step": "create-billing", "ref": "bil_1", "ok": True}]
    undone = [{"key": "bil_1", "ok": False}]
    account, closure = {"account_id": "bil_1"}, {"account_id": "bil_1", "time_ns": 1}
    standing = flow({"steps": steps, "compensations": undone}, accounts=[account])
    assert breaks_s1(standing) and not breaks_s4(standing)
    standing.closures.append(closure)
    assert not breaks_s1(standing) and not breaks_s4(standing)
    standing.closures.append({**closure, "time_ns": 2})
    assert breaks_s4(standing)


def test_truth_sees_skipped_gates_overrides_and_turned_flags() -> None:
    """A refusal of an approval is an override; two variants in one flow are a turned flag."""
    one = flow({"gate": None, "variants": ["v2", "off"]})
    assert not gate_skipped(one) and straddled(one) and not overridden(one)
    one.decision = {"action": {}}
    assert gate_skipped(one)
    one.review = {"approved": False, "recommendation": "approve"}
    assert overridden(one)
