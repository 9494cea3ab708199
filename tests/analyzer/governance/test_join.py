"""Decisions, gates and actions that do not fit together are found; those that do are left alone."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.detectors import population_detectors
from analyzer.governance.action_without_decision import ActionWithoutDecisionSettings
from analyzer.governance.gate_missing import GateMissingSettings
from analyzer.oversight.joined import Gate, Payload, joined
from analyzer.oversight.provenance import Link, depth, provenance
from analyzer.population import PopulationSettings, said_by
from analyzer.rebuild import RebuildSettings, rebuild
from store.conclusions import Finding, Verdict
from store.lease import Store
from store.model import Batch, Decision
from store.write import write_batch
from tests.analyzer.builder import Recording, at, findings_of
from tests.analyzer.population import flow, heard_later

BODY = {"amount": "10.50", "order_id": "order-1"}
DIGEST = hashlib.sha256(
    json.dumps(BODY, sort_keys=True, separators=(",", ":")).encode()
).hexdigest()
MODEL = {"name": "fraud-net", "version": "3"}
POLICY = {"id": "risk", "version": "7", "outcome": "allow"}


def decided(**fields: object) -> Decision:
    """A decision made at 100 ms, allowed, that names the charge as its action."""
    record: dict[str, object] = {
        "actor": {"service": "orchestrator"}, "model": MODEL, "input": {"amount": "10.50"},
        "prompt": {"id": "features", "version": "2"}, "policy": POLICY,
        "action": {"step_key": "order-1", "request_sha256": DIGEST},
    }  # fmt: skip
    record.update(fields.pop("record", {}))  # type: ignore[call-overload]
    given = {name: value for name, value in record.items() if value is not ...}
    action = given.get("action")
    policy = given.get("policy")
    made: dict[str, object] = {
        "decision_id": "d-1", "time_ns": at(100), "chosen": "approve", "trace_id": "0" * 31 + "1",
        "flow_id": "order-1", "confidence": "0.9", "threshold": "0.8", "record": given,
        "action_step_key": action.get("step_key") if isinstance(action, dict) else None,
        "policy_outcome": policy.get("outcome") if isinstance(policy, dict) else None,
        **fields,
    }  # fmt: skip
    return Decision(**made)  # type: ignore[arg-type]


def gate(recording: Recording, start: float, end: float, **more: object) -> None:
    attributes = {
        "retrospan.step.kind": "gate", "retrospan.decision.id": "d-1",
        "retrospan.decision.gate.outcome": "allow", "retrospan.step.key": "order-1",
    }  # fmt: skip
    recording.add("policy risk", start, end, attributes=attributes, **more)


def payment(
    decision: Decision | None = None, gate_at: tuple[float, float] | None = (110, 120),
    body: object = BODY, **more: object,
) -> Recording:  # fmt: skip
    """A payment: decided at 100, gate 110 to 120, charged from 200 on."""
    recording = Recording(**more)  # type: ignore[arg-type]
    if decision is not None:
        recording.decisions.append(decision)
    if gate_at is not None:
        gate(recording, *gate_at)
    recording.charge(200, 300)
    if body is not None:
        charged = recording.spans[-2]
        told = {**charged.attributes, "retrospan.step.request": json.dumps(body)}
        recording.spans[-2] = replace(charged, attributes=told)
    return recording


def found(recording: Recording, detector: str) -> list[Finding]:
    return [it for it in findings_of(recording) if it.detector == detector]


def join_of(recording: Recording) -> tuple[Gate, Payload, bool | None]:
    (it,) = joined(recording.flow(), recording.decisions)
    return it.gate, it.payload, it.acted


JOINED_DETECTORS = ("gate_after_action", "decision_without_action", "payload_changed")


def test_a_decision_with_gate_action_and_payload_in_order_is_left_alone() -> None:
    recording = payment(decided())
    assert join_of(recording) == (Gate.BEFORE, Payload.SAME, True)
    assert [it for it in findings_of(recording) if it.detector in JOINED_DETECTORS] == []


def test_an_action_that_began_before_the_gate_answered_is_a_violation() -> None:
    (finding,) = found(payment(decided(), gate_at=(110, 250)), "gate_after_action")
    assert (finding.verdict, finding.severity) == (Verdict.VIOLATION, "warning")
    assert "50.0 ms before its gate answered allow" in finding.message
    assert [it.kind for it in finding.evidence] == ["decision", "span", "span"]


def test_it_is_critical_when_a_person_refused_what_was_carried_out() -> None:
    refused = decided(
        record={"policy": {**POLICY, "outcome": "escalate"}, "action": ...,
                "human_review": {"by": "r", "outcome": "refused"}},
    )  # fmt: skip
    (finding,) = found(payment(refused, gate_at=(110, 250)), "gate_after_action")
    assert finding.severity == "critical"


def test_two_clocks_make_it_suspected_only() -> None:
    recording = payment(decided(), gate_at=None)
    gate(recording, 110, 250, service="policy-engine")
    (finding,) = found(recording, "gate_after_action")
    assert finding.verdict is Verdict.SUSPECTED


def test_a_gate_that_is_only_told_by_the_log_has_no_time() -> None:
    recording = payment(decided(), gate_at=None)
    assert join_of(recording)[0] is Gate.UNTIMED
    assert found(recording, "gate_after_action") == []


def test_a_named_action_the_flow_does_not_show_is_found() -> None:
    other = decided(record={"action": {"step_key": "order-2"}})
    (finding,) = found(payment(other), "decision_without_action")
    assert finding.verdict is Verdict.VIOLATION
    assert "order-2" in finding.message


@pytest.mark.parametrize(
    "recording",
    [
        payment(decided(record={"action": ...})),
        payment(decided(record={"action": {"step_key": "order-2"}}), status="running"),
    ],
)
def test_no_action_is_missed_that_nobody_named_or_that_may_still_come(
    recording: Recording,
) -> None:
    if recording.status == "running":
        recording.spans[-1] = replace(recording.spans[-1], end_ns=None)
    assert found(recording, "decision_without_action") == []


def test_another_request_than_the_approved_one_is_suspected() -> None:
    (finding,) = found(payment(decided(), body={**BODY, "amount": "99.00"}), "payload_changed")
    assert finding.verdict is Verdict.SUSPECTED
    assert DIGEST[:12] in finding.message


@pytest.mark.parametrize("body", [None, {**BODY, "card": "[redacted:aabbccddeeff]"}])
def test_a_request_that_cannot_be_compared_is_not_accused(body: object) -> None:
    recording = payment(decided(), body=body)
    assert join_of(recording)[1] is Payload.UNKNOWN
    assert found(recording, "payload_changed") == []


def test_what_came_before_the_decision_is_not_its_action() -> None:
    recording = Recording(decisions=[decided(record={"action": ...})])
    recording.charge(10, 50)
    assert join_of(recording) == (Gate.NO_ACTION, Payload.UNKNOWN, False)


def test_the_chain_names_the_hop_that_is_broken() -> None:
    recording = payment(decided(record={"prompt": ...}))
    (it,) = joined(recording.flow(), recording.decisions)
    hops = provenance(it)
    assert {hop.name: hop.link for hop in hops} == {
        "input": Link.RESOLVED, "retrieval": Link.NOT_APPLICABLE, "model": Link.RESOLVED,
        "prompt": Link.BROKEN, "policy": Link.RESOLVED, "action": Link.RESOLVED,
        "effect": Link.RESOLVED,
    }  # fmt: skip
    assert depth(hops) == 2
    assert next(hop.lacks for hop in hops if hop.name == "prompt") == (
        "prompt.id, prompt.version or prompt.sha256"
    )


def many(folder: Path, recordings: list[Recording]) -> Store:
    store = Store(folder / "s.duckdb")
    spans = [span for recording in recordings for span in recording.all_spans()]
    spans += heard_later(spans)
    decisions = [it for recording in recordings for it in recording.decisions]
    with store.lease("test", create=True) as session:
        write_batch(session, Batch(
            source="t", content_sha256="t", reader="t/1", rules_sha256="0", spans=spans,
            decisions=decisions,
        ))  # fmt: skip
    rebuild(store, RebuildSettings())
    return store


def numbered(number: int, *, gated: bool = True, with_decision: bool = True) -> Recording:
    made = flow(number)
    policy = POLICY if gated else ...
    decision = decided(
        decision_id=f"d-{number}", trace_id=made.trace, flow_id=made.flow_id,
        record={"policy": policy},
    )  # fmt: skip
    return payment(
        decision if with_decision else None, (110, 120) if gated else None,
        flow_id=made.flow_id, trace=made.trace,
    )  # fmt: skip


def asked(store: Store, name: str, settings: object = None) -> list[Finding]:
    (detector,) = [it for it in population_detectors() if it.name == name]
    given = {name: settings} if settings is not None else {}
    return said_by(store, detector, PopulationSettings(detectors=given))[:-1]


def test_actions_without_a_gate_are_told_where_others_have_one(tmp_path: Path) -> None:
    store = many(tmp_path, [numbered(it, gated=it >= 2) for it in range(8)])
    (finding,) = asked(store, "gate_missing")
    assert finding.verdict is Verdict.SUSPECTED
    assert finding.message.startswith("2 decisions of payment flows were carried out without")
    assert finding.facts["flow_ids"] == ["order-0", "order-1"]
    required = GateMissingSettings(required_flows=("payment",))
    (finding,) = asked(store, "gate_missing", required)
    assert (finding.verdict, finding.severity) == (Verdict.VIOLATION, "critical")


def test_no_gate_is_missed_where_nobody_has_one(tmp_path: Path) -> None:
    assert (
        asked(many(tmp_path, [numbered(it, gated=False) for it in range(4)]), "gate_missing") == []
    )


def test_an_action_without_a_decision_is_told_where_others_have_one(tmp_path: Path) -> None:
    recordings = [numbered(it, with_decision=it > 0, gated=it > 0) for it in range(12)]
    store = many(tmp_path, recordings)
    (finding,) = asked(store, "action_without_decision")
    assert (finding.verdict, finding.facts["flow_ids"]) == (Verdict.SUSPECTED, ["order-0"])
    required = ActionWithoutDecisionSettings(required_flows=("payment",))
    (finding,) = asked(store, "action_without_decision", required)
    assert finding.verdict is Verdict.VIOLATION


def test_what_elsewhere_comes_before_the_decision_needs_none(tmp_path: Path) -> None:
    recordings = [numbered(it) for it in range(12)]
    for recording in recordings:
        recording.reserve(10, 40)
    undecided = flow(20)
    undecided.reserve(10, 40)
    assert asked(many(tmp_path, [*recordings, undecided]), "action_without_decision") == []
