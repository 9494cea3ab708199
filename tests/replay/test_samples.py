"""The recorded payment system is reproduced from programs made of its other flows.

Cannot prove that other systems would be; the samples come from one small system.
"""

import gzip
from functools import cache
from pathlib import Path

import pytest

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from ingest.limits import Limits
from ingest.reader import discover
from replay.backtest import back_test
from replay.engine import replay_flows
from replay.fidelity import fidelity
from replay.recording import recording_of
from replay.scenario import Change, Scenario
from replay.whatif import answered
from store.conclusions import Flow
from store.model import Decision, LogRecord, Span

SAMPLES = Path(__file__).resolve().parents[2] / "sample_traces"
FILES = {
    "traces.jsonl.gz": "otlp_json",
    "logs.jsonl.gz": "otlp_json",
    "decisions.jsonl.gz": "decisions",
}
WITH_OURS = ("payment-healthy", "payment-brownout")


@cache
def flows_of(sample: str) -> list[Flow]:
    readers = discover()
    spans: list[Span] = []
    logs: list[LogRecord] = []
    decisions: list[Decision] = []
    for name, reader in FILES.items():
        path = SAMPLES / sample / name
        if not path.exists():
            continue
        with gzip.open(path) as stream:
            for item in readers[reader].read(stream, Limits()):  # type: ignore[arg-type]
                if isinstance(item, Span):
                    spans.append(item)
                elif isinstance(item, LogRecord):
                    logs.append(item)
                elif isinstance(item, Decision):
                    decisions.append(item)
    rows = assign(spans, logs, decisions, AssignSettings())
    return [derive(row, DeriveSettings()) for row in rows]


@pytest.mark.parametrize("sample", WITH_OURS)
def test_nine_of_ten_recorded_payments_replay_identically_and_no_other_is_silent(
    sample: str,
) -> None:
    flows = flows_of(sample)
    assert len(flows) >= 300
    results = replay_flows(flows, [flow.flow_id for flow in flows])
    measured = fidelity(results)
    assert measured.identical >= 0.95 * measured.flows, measured
    assert measured.silent == 0, measured
    assert measured.width_ppm < 100_000, measured
    assert measured.inside_ppm >= 990_000, measured
    for result in results:
        assert result.verdict == "identical" or result.divergences, result


@pytest.mark.parametrize(
    ("sample", "right_percent", "width_percent"),
    [("onboarding-model-rollout", 97, 10), ("enrichment-drift", 99, 10)],
)
def test_systems_that_inference_was_not_made_for_are_mostly_reproduced_and_never_silent(
    sample: str, right_percent: int, width_percent: int
) -> None:
    """What is wrong is doubted: a flag read twice, a delivery that a crash cut off, a case that
    its release had never met."""
    flows = flows_of(sample)
    measured = fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))
    assert 100 * measured.right >= right_percent * measured.flows, measured
    assert measured.silent == 0, measured
    assert measured.width_ppm <= 10_000 * width_percent, measured
    assert measured.inside_ppm >= 980_000, measured


def test_without_our_attributes_no_program_is_offered_and_the_reason_names_what_lacks() -> None:
    """No input and no keys are recorded there."""
    flows = flows_of("payment-brownout-plain")
    results = replay_flows(flows, [flow.flow_id for flow in flows])
    assert fidelity(results).silent == 0
    assert {result.verdict for result in results} == {"unreplayable"}
    for result in results:
        assert "explains" in result.reason
        assert "retrospan.flow.input" in result.reason


def test_a_longer_wait_for_the_slow_gateway_would_have_saved_payments() -> None:
    flows = flows_of("payment-brownout")
    slow = [
        flow
        for flow in flows
        if any(
            step.callee == "gateway-eu"
            and step.operation == "POST /charges"
            and step.attempts[0].status == "timeout"
            for step in flow.steps
        )
    ]
    scenario = Scenario(
        name="wait for two seconds",
        changes=(Change(operation="gateway-eu POST /charges", timeout_ms=2_000),),
    )
    results = replay_flows(flows, [flow.flow_id for flow in slow], scenario=scenario)
    claimed = [r for r in results if r.claim is not None]
    assert len(claimed) > 20
    assert any("callee's own span" in r.reason for r in claimed)
    fewer = [r for r in claimed if "missing_call" in {d.kind for d in r.divergences}]
    assert len(fewer) > 20


def test_what_the_fixed_release_did_is_predicted_from_flows_of_the_broken_one() -> None:
    """Of 2.4.0 some compensations fail, and it has a breaker; 2.4.1 has neither."""
    flows = flows_of("payment-brownout")
    of = {version: [f for f in flows if f.version == version] for version in ("2.4.0", "2.4.1")}
    before, real = ([recording_of(flow) for flow in made] for made in of.values())
    release = Scenario(name="2.4.1", version="2.4.1")
    results = replay_flows(flows, [flow.flow_id for flow in of["2.4.0"]], scenario=release)
    predicted = [result for result in results if answered(result)]
    assert len(predicted) >= 0.97 * len(before)
    rows = {row.what: row for row in back_test(before, predicted, real)}
    assert all(row.agrees for row in rows.values()), rows
    lost = rows["ends compensation_failed"]
    assert (lost.before > 10, lost.predicted, lost.real) == (True, 0, 0)
    diverted = rows["calls gateway-us POST /charges"]
    assert diverted.predicted / diverted.predicted_n < 0.2 * diverted.before / diverted.before_n
