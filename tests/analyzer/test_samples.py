"""What the analyzer finds in the recorded incidents is what the services' own books say.

The books were kept by the services apart from their telemetry. The test cannot show that the books
ask the right questions; it shows that telemetry and books give the same answers.
"""

import gzip
import json
import random
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from analyzer.assign import AssignSettings, FlowRows, assign
from analyzer.derive import DeriveSettings, decisions_in, derive
from analyzer.derive.declared import declared_flows
from analyzer.detectors import FlowCase, detect
from analyzer.sagas import coverage_of, verify
from ingest.limits import Limits
from ingest.readers.decisions import READER as DECISIONS
from ingest.readers.otlp_json import READER as OTLP
from store.conclusions import Finding, Flow, SagaVerdict, Verdict
from store.model import Decision, LogRecord, Span

SAMPLES = Path(__file__).parents[2] / "sample_traces"
CHECKS = ("S1", "S2", "S3", "S4", "S7", "S11", "S12")
DETECTORS = ("duplicate_effect", "below_threshold_action")


@dataclass(frozen=True)
class Sample:
    """A recording, what was made of it, and the books; ids are the books' order ids."""

    expected: dict[str, Any]
    rows: dict[str, FlowRows]
    flows: dict[str, Flow]
    sagas: dict[str, SagaVerdict]
    findings: dict[str, list[Finding]]

    def books(self, finder: str) -> set[str]:
        """The flows of one list of the books."""
        lists = {entry["finder"]: set(entry["flows"]) for entry in self.expected["findings"]}
        return lists[finder]

    def with_verdict(self, check: str, *verdicts: Verdict) -> set[str]:
        """The flows of which a check says one of these."""
        return {
            name
            for name, saga in self.sagas.items()
            for result in saga.checks
            if result.check == check and result.verdict in verdicts
        }

    def found(self, detector: str, *verdicts: Verdict) -> set[str]:
        """The flows on which a detector has a finding of one of these verdicts."""
        return {
            name
            for name, findings in self.findings.items()
            if any(it.detector == detector and it.verdict in verdicts for it in findings)
        }


Records = tuple[list[Span], list[LogRecord], list[Decision]]


def records(name: str) -> Records:
    spans: list[Span] = []
    logs: list[LogRecord] = []
    decisions: list[Decision] = []
    for file, reader in (("traces", OTLP), ("logs", OTLP), ("decisions", DECISIONS)):
        path = SAMPLES / name / f"{file}.jsonl.gz"
        if not path.exists():
            continue
        for item in reader.read(BytesIO(gzip.decompress(path.read_bytes())), Limits()):
            if isinstance(item, Span):
                spans.append(item)
            elif isinstance(item, LogRecord):
                logs.append(item)
            elif isinstance(item, Decision):
                decisions.append(item)
    return spans, logs, decisions


def order_of(rows: FlowRows) -> str:
    """The order a flow is about: the plain recording names it in bodies only."""
    for span in rows.spans:
        body = span.attributes.get("http.request.body.content")
        if isinstance(body, str) and "order_id" in body:
            return str(json.loads(body)["order_id"])
    return rows.flow_id


@lru_cache(maxsize=7)
def sample(name: str) -> Sample:
    spans, logs, decisions = records(name)
    coverage = coverage_of(spans)
    rows = {order_of(it): it for it in assign(spans, logs, decisions, AssignSettings())}
    flows = {order: derive(it, DeriveSettings()) for order, it in rows.items()}
    return Sample(
        expected=tomllib.loads((SAMPLES / name / "expected.toml").read_text()),
        rows=rows,
        flows=flows,
        sagas={order: verify(flow, coverage) for order, flow in flows.items()},
        findings={
            order: detect(
                FlowCase(flow=flow, decisions=decisions_in(rows[order]), coverage=coverage)
            )
            for order, flow in flows.items()
        },
    )


EVERY = (
    "payment-healthy",
    "payment-brownout",
    "payment-brownout-plain",
    "onboarding-healthy",
    "onboarding-model-rollout",
)
HEALTHY = ("payment-healthy", "onboarding-healthy", "enrichment-healthy")
QUEUES = ("enrichment-healthy", "enrichment-drift")
ROLLOUT = "onboarding-model-rollout"
TOLD = ("payment-healthy", "payment-brownout", "onboarding-healthy", ROLLOUT)


@pytest.mark.parametrize("name", EVERY)
def test_every_flow_is_found_once_and_whole(name: str) -> None:
    made = sample(name)
    assert len(made.flows) == made.expected["flows"]
    assert all(flow.complete for flow in made.flows.values())
    assert {flow.architecture for flow in made.flows.values()} == {"central"}


@pytest.mark.parametrize("name", (*EVERY, *QUEUES))
def test_outcomes_are_those_of_the_books(name: str) -> None:
    made = sample(name)
    outcomes: dict[str, set[str]] = defaultdict(set)
    for order, flow in made.flows.items():
        outcomes[str(flow.outcome)].add(order)
    told = {it["outcome"]: set(it["flows"]) for it in made.expected.get("outcome_flows", [])}
    for outcome, flows in told.items():
        assert outcomes[outcome] == flows, outcome
    assert {name: len(flows) for name, flows in outcomes.items()} == made.expected["outcomes"]


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("check", CHECKS)
def test_each_saga_check_finds_what_the_books_say(name: str, check: str) -> None:
    made = sample(name)
    found, books = made.with_verdict(check, Verdict.VIOLATION), made.books(f"saga.{check}")
    assert found == books
    doubtful = made.with_verdict(check, Verdict.SUSPECTED, Verdict.UNKNOWN, Verdict.OPEN)
    assert doubtful == set()


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("detector", DETECTORS)
def test_each_detector_finds_what_the_books_say(name: str, detector: str) -> None:
    made = sample(name)
    assert made.found(detector, Verdict.VIOLATION) == made.books(f"detector.{detector}")
    assert made.found(detector, Verdict.SUSPECTED, Verdict.UNKNOWN) == set()


@pytest.mark.parametrize("name", TOLD)
def test_what_is_left_standing_is_what_the_books_hold(name: str) -> None:
    made = sample(name)
    held = {(it["flow"], it["callee"], it["ref"]) for it in made.expected.get("residuals", [])}
    found = {
        (order, effect.callee, effect.external_ref)
        for order, saga in made.sagas.items()
        for effect in saga.residual_effects
    }
    assert found == held


def test_the_money_left_standing_adds_up_to_the_books() -> None:
    made = sample("payment-brownout")
    cents: dict[str, int] = defaultdict(int)
    for saga in made.sagas.values():
        for effect in saga.residual_effects:
            if effect.amount is not None:
                assert effect.currency == made.expected["money"]["currency"]
                cents[effect.step.split("-")[0]] += int(effect.amount * 100)
    assert cents["charge"] == made.expected["money"]["charges_to_give_back_cents"]
    assert cents["refund"] == made.expected["money"]["excess_refunds_cents"]


@pytest.mark.parametrize("name", HEALTHY)
def test_a_quiet_day_has_no_findings(name: str) -> None:
    made = sample(name)
    assert not any(made.findings.values())
    assert {saga.verdict for saga in made.sagas.values()} <= {
        Verdict.PASS,
        Verdict.NOT_APPLICABLE,
    }


@pytest.mark.parametrize("check", CHECKS)
def test_without_our_attributes_no_violation_contradicts_the_books(check: str) -> None:
    made = sample("payment-brownout-plain")
    told = sample("payment-brownout").books(f"saga.{check}")
    assert made.with_verdict(check, Verdict.VIOLATION, Verdict.SUSPECTED) <= told
    assert not made.with_verdict(check, Verdict.PASS) & told
    if check != "S11":  # its evidence, the key header, is still there
        assert made.with_verdict(check, Verdict.PASS, Verdict.VIOLATION) == set()


def test_without_our_attributes_double_charges_are_suspected() -> None:
    made = sample("payment-brownout-plain")
    told = sample("payment-brownout").books("detector.duplicate_effect")
    assert made.found("duplicate_effect", Verdict.SUSPECTED) == told
    assert made.found("duplicate_effect", Verdict.VIOLATION) == set()
    assert all(saga.residual_effects == [] for saga in made.sagas.values())


@pytest.mark.parametrize("name", QUEUES)
def test_every_choreographed_flow_is_found_once_and_whole(name: str) -> None:
    made = sample(name)
    assert len(made.flows) == made.expected["flows"]
    assert all(flow.complete for flow in made.flows.values())
    assert {flow.architecture for flow in made.flows.values()} == {"choreographed"}
    # Intake, lookup, extraction, writing, indexing: each is a trace of its own.
    whole = [flow for flow in made.flows.values() if flow.steps[-1].callee == "search-engine"]
    assert whole and all(len(flow.trace_ids) >= 5 for flow in whole)


@pytest.mark.parametrize("name", QUEUES)
def test_duplicate_writes_over_queues_are_those_of_the_books(name: str) -> None:
    made = sample(name)
    books = made.books("detector.duplicate_effect")
    assert made.found("duplicate_effect", Verdict.VIOLATION) == books
    assert made.found("duplicate_effect", Verdict.SUSPECTED, Verdict.UNKNOWN) == set()
    assert not made.found("below_threshold_action", *Verdict)
    held = {(it["flow"], it["ref"]) for it in made.expected.get("residuals", [])}
    found = {
        (name, effect.external_ref)
        for name, saga in made.sagas.items()
        for effect in saga.residual_effects
    }
    assert found == held


@pytest.mark.parametrize("name", [ROLLOUT, "enrichment-drift"])
def test_declarations_beside_a_recording_name_the_steps_that_are_there(name: str) -> None:
    made = sample(name)
    tables = tomllib.loads((SAMPLES / name / "retrospan.toml").read_text())["declared"]
    (declared,) = declared_flows(tables).values()
    steps = [step for flow in made.flows.values() for step in flow.steps]
    assert {flow.name for flow in made.flows.values()} == {declared.name}
    assert {step.name for step in declared.steps} <= {step.name for step in steps}
    undoing = {step.name for step in steps if step.role == "compensation"}
    assert undoing == set(declared.compensated_by)


@pytest.mark.parametrize("name", EVERY)
def test_self_times_on_the_critical_path_add_up_to_the_duration(name: str) -> None:
    for flow in sample(name).flows.values():
        assert flow.end_ns is not None
        total = sum(segment.self_ns for segment in flow.critical_path)
        assert total == flow.end_ns - flow.start_ns, flow.flow_id


def test_flows_of_a_shuffled_recording_are_the_same() -> None:
    spans, logs, decisions = records("payment-brownout")
    shuffle = random.Random(7).shuffle
    for kept in (spans, logs, decisions):
        shuffle(kept)
    again = assign(spans, logs, decisions, AssignSettings())
    made = sample("payment-brownout")
    assert {order_of(rows): derive(rows, DeriveSettings()) for rows in again} == made.flows
