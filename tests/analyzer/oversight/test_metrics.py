"""Each metric on decisions made by hand, where the answer can be counted on the fingers."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analyzer.oversight.joined import Gate, Joined, Payload, without_flow
from analyzer.oversight.measure import Case, Measure, Status, share
from analyzer.oversight.metrics.decision_cost import cost_of
from analyzer.oversight.report import By, measured, metrics, read_prices
from analyzer.oversight.settings import DAY_NS, OversightSettings
from store.conclusions import Attempt, Flow, FlowOutcome, Step, StepOutcome
from store.decision_log import check_log
from store.errors import UsageError
from store.lease import Store
from store.model import Decision

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z
ATTEMPT = Attempt(
    trace_id="1" * 32, span_id="1" * 16, start_ns=START, end_ns=START + 1, outcome=StepOutcome.OK,
    status="ok",
)  # fmt: skip
FEW = OversightSettings(calibration_n_min=4, comparison_n_min=2, resamples=99, calibration_bins=2)


def decided(number: Any = 0, **record: Any) -> Joined:
    """A decision that belongs to no flow."""
    made = Decision(
        decision_id=f"d-{number}", time_ns=START + number * SECOND,
        chosen=record.pop("chosen", "approve"), confidence=record.pop("confidence", None),
        threshold=record.pop("threshold", None), policy_outcome=record.pop("gate", None),
        model_name=record.pop("model_name", None), model_version=record.pop("model_version", None),
        record=record,
    )  # fmt: skip
    return without_flow(made)


def flow(number: int, outcome: FlowOutcome = FlowOutcome.SUCCEEDED) -> Flow:
    return Flow(
        flow_id=f"f-{number}", name="payment", version="1", outcome=outcome, start_ns=START,
        end_ns=START + 10 * SECOND, trace_ids=[f"{number + 1:032x}"], span_count=1,
        decision_ids=[f"d-{number}"], architecture="central", replayability="R0", complete=True,
        service="s", services=["s"], steps=[], critical_path=[],
    )  # fmt: skip


def step(name: str = "charge") -> Step:
    return Step(
        step_id=f"st-{name}", key="", name=name, kind="call", service="s", callee="c",
        operation="POST /c", outcome=StepOutcome.OK, start_ns=START + SECOND, end_ns=START + 2,
        attempts=[ATTEMPT], role="pivot",
    )  # fmt: skip


def acted(it: Joined, number: int = 0, **fields: Any) -> Joined:
    given = {"flow": flow(number), "acted": True, "first_action": step(), "steps": [step()],
             "gate": Gate.BEFORE, **fields}  # fmt: skip
    return replace(it, **given)


def asked(
    name: str, decisions: list[Joined], settings: OversightSettings = FEW, **case: Any
) -> dict[str, Measure]:
    """The measures of one metric by name; of several with one name, the last."""
    (metric,) = [it for it in metrics() if it.name == name]
    flows = list({it.flow.flow_id: it.flow for it in decisions if it.flow is not None}.values())
    given = {"data_end_ns": START + 100 * SECOND, "flows": flows, **case}
    return {
        it.metric: it
        for it in metric.measure(Case(decisions=decisions, settings=settings, **given))
    }


def told(it: Measure) -> tuple[Any, int, int]:
    return it.value, it.n, it.unknown


def test_no_metric_says_anything_good_of_nothing() -> None:
    case = Case(decisions=[], flows=[], data_end_ns=0, settings=FEW)
    for it in measured(case):
        assert it.measure.value is None, it.measure.metric
        assert it.measure.status in (Status.NOT_APPLICABLE, Status.INSUFFICIENT), it.measure.metric


def test_a_share_of_nothing_is_no_share_and_of_few_is_insufficient() -> None:
    assert share("m", 0, 0).status is Status.NOT_APPLICABLE
    assert share("m", 0, 0, 3).status is Status.UNKNOWN
    assert share("m", 9, 9).status is Status.INSUFFICIENT
    assert share("m", 9, 10).status is Status.MEASURED
    assert share("m", 1, 3, 1).unknown_share == 0.25


def test_completeness_counts_each_field_and_whole_records() -> None:
    whole = decided(
        1, confidence="0.9", threshold="0.8", gate="allow", actor={"service": "s"},
        model_name="m", model_version="1", input={"a": 1},
    )  # fmt: skip
    complete = replace(whole.decision, policy_id="p", policy_version="2", trace_id="t", span_id="s")
    found = asked("audit_completeness", [replace(whole, decision=complete, named=True), decided(2)])
    assert told(found["audit_completeness"]) == (0.5, 2, 0)
    assert told(found["audit_completeness.output"]) == (1.0, 2, 0)
    assert told(found["audit_completeness.confidence"]) == (0.5, 2, 0)


def test_gate_coverage_tells_before_after_missing_and_untimed_apart() -> None:
    allowed = decided(gate="allow")
    found = asked(
        "gate_coverage",
        [
            acted(allowed, payload=Payload.SAME),
            acted(allowed, gate=Gate.AFTER, payload=Payload.DIFFERS),
            acted(decided(), gate=Gate.MISSING),
            acted(allowed, gate=Gate.UNTIMED),
            acted(decided(gate="deny")),
            decided(gate="deny"),
        ],
    )
    assert told(found["gate_coverage"]) == (0.25, 4, 1)
    assert told(found["gate_coverage.after_action"]) == (0.25, 4, 1)
    assert told(found["gate_coverage.missing"]) == (0.25, 4, 1)
    assert told(found["gate_coverage.against"]) == (0.25, 4, 1)
    assert told(found["payload_agreement"]) == (0.5, 2, 3)


def test_below_the_threshold_counts_only_what_nobody_was_asked_about() -> None:
    low = {"confidence": "0.5", "threshold": "0.8"}
    found = asked(
        "below_threshold_rate",
        [
            acted(decided(gate="allow", **low)),
            acted(decided(gate="escalate", human_review={"outcome": "approved"}, **low)),
            acted(decided(gate="allow", confidence="0.9", threshold="0.8")),
            acted(decided(gate="allow", confidence="0.9")),
            decided(gate="deny", **low),
        ],
    )
    assert told(found["below_threshold_rate"]) == (pytest.approx(1 / 3), 3, 1)


def test_an_override_is_a_word_that_differs_from_the_choice() -> None:
    def reviewed(chosen: str, outcome: str, label: str | None = None) -> Joined:
        later = {"outcome": {"label": label}} if label else {}
        return decided(chosen=chosen, human_review={"outcome": outcome}, **later)

    found = asked(
        "override_rate",
        [
            reviewed("approve", "approved"),
            reviewed("reject", "refused"),
            reviewed("approve", "refused", "legitimate"),
            reviewed("reject", "approved", "legitimate"),
            decided(),
        ],
    )
    assert told(found["override_rate"]) == (0.5, 4, 0)
    assert told(found["override_rate.harmful"]) == (0.5, 2, 0)
    assert told(found["override_rate.saved"]) == (0.5, 2, 0)


def test_review_latency_is_from_decision_to_review_and_pending_is_no_latency() -> None:
    waits = [1, 2, 3, 4]
    answered = [
        decided(gate="escalate", human_review={
            "outcome": "approved", "time": f"2026-01-01T00:00:0{wait}.500Z"
        })
        for wait in waits
    ]  # fmt: skip
    settings = replace(FEW, review_limit_s=50)
    found = asked("review_latency", [*answered, decided(gate="escalate")], settings)
    assert told(found["review_latency.p50"]) == (2.5 * SECOND, 4, 0)
    assert found["review_latency.p50"].status is Status.INSUFFICIENT
    assert told(found["review_latency.pending"]) == (0.2, 5, 0)
    assert found["review_latency.pending"].detail["stuck"] == 1


def test_gate_outcomes_are_told_by_policy() -> None:
    gates = ["deny", "escalate", "allow", "modify", None]
    found = asked("gate_outcomes", [decided(gate=gate) for gate in gates])
    for kind in ("deny", "escalate", "modify"):
        assert told(found[f"gate_outcomes.{kind}"]) == (0.25, 4, 1)


def test_latency_is_the_share_of_the_critical_path_not_the_sum_of_spans() -> None:
    """2 of 10 seconds and 1 of 10 seconds."""
    both = [acted(decided(at), at, decision_ns=ns * SECOND) for at, ns in ((0, 2), (1, 1))]
    settings = replace(FEW, decision_budget_ms=1_500)
    found = asked("decision_latency", [*both, acted(decided(2), 2)], settings)
    assert told(found["decision_latency.share"]) == (pytest.approx(0.15), 2, 1)
    assert told(found["decision_latency.over_budget"]) == (0.5, 2, 1)


PRICES = {"m": {"input": Decimal(2), "output": Decimal(10), "cache_read": Decimal(1)}}


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost_usd": "0.25", "input_tokens": 1}, "0.25"),
        ({"input_tokens": 1_000, "output_tokens": 100}, "0.003"),
        ({"input_tokens": 1_000, "output_tokens": 100, "cache_read_tokens": 400}, "0.0026"),
        ({"input_tokens": 1_000, "output_tokens": 1, "cache_write_tokens": 4}, None),
        ({"input_tokens": 1, "output_tokens": 1, "cache_read_tokens": 4}, None),
        ({"input_tokens": 1}, None),
        ({"cost_usd": -1}, None),
        (None, None),
    ],
)
def test_a_cost_is_recorded_or_computed_or_unknown(usage: object, cost: str | None) -> None:
    """1000 · 2 + 100 · 10 = 3000 per million; with 400 cached 600 · 2 + 400 · 1 + 1000 = 2600."""
    found = cost_of(decided(model_name="m", usage=usage), PRICES)
    assert found == (None if cost is None else Decimal(cost))


def test_cost_per_successful_flow_has_all_costs_above_the_line() -> None:
    paid = {"usage": {"cost_usd": "0.5"}}
    failed = acted(decided(1, **paid), 1, flow=flow(1, FlowOutcome.FAILED))
    found = asked("decision_cost", [acted(decided(0, **paid)), failed, decided(2)])
    assert told(found["decision_cost.sum"]) == (1.0, 2, 1)
    assert told(found["decision_cost.per_flow"]) == (0.5, 2, 0)
    assert told(found["decision_cost.per_successful_flow"]) == (1.0, 1, 0)


def test_a_flow_with_a_decision_of_unknown_cost_has_no_cost() -> None:
    """Of two flows one has a second decision without a cost: it would look too cheap."""
    paid = {"usage": {"cost_usd": "0.5"}}
    both = [acted(decided(0, **paid)), acted(decided(1, **paid), 1), acted(decided(2), 1)]
    assert told(asked("decision_cost", both)["decision_cost.per_flow"]) == (0.5, 1, 1)


def test_a_sum_is_exact_or_at_least_what_is_known() -> None:
    paid = {"usage": {"cost_usd": "0.5"}}
    whole = asked("decision_cost", [decided(0, **paid)])["decision_cost.sum"]
    assert (whole.low, whole.high, whole.counted) == (0.5, 0.5, True)
    part = asked("decision_cost", [decided(0, **paid), decided(1)])["decision_cost.sum"]
    assert (part.low, part.high) == (0.5, None)


def test_a_model_without_a_price_is_unknown_not_free() -> None:
    usage = {"input_tokens": 5, "output_tokens": 5}
    found = asked("decision_cost", [decided(model_name="new", usage=usage)], prices=PRICES)
    assert (told(found["decision_cost.sum"]), found["decision_cost.sum"].status) == (
        (None, 0, 1), Status.UNKNOWN,
    )  # fmt: skip


def test_calibration_of_labelled_decisions_and_of_too_few() -> None:
    def labelled(confidence: str, label: str) -> Joined:
        return decided(confidence=confidence, outcome={"label": label})

    good = [labelled("0.9", "legitimate"), labelled("0.9", "legitimate")]
    bad = [labelled("0.8", "fraud"), labelled("0.6", "legitimate"), labelled("0.6", "fraud")]
    found = asked("calibration", [*good, *bad, decided(confidence="0.7")])
    assert told(found["calibration.brier"]) == (pytest.approx(0.236), 5, 1)
    error = found["calibration.error"]
    assert (error.n, error.unknown) == (5, 1)
    assert error.detail["as_counted"] == pytest.approx(0.16)
    assert error.value is not None and 0 <= error.value <= 0.16
    few = asked("calibration", good)["calibration.error"]
    assert (few.status, few.value) == (Status.INSUFFICIENT, None)


def test_drift_finds_a_moved_confidence_and_says_insufficient_of_few() -> None:
    old = [decided(at, confidence=f"0.{at % 5 + 1}", model_name="m", model_version="1")
           for at in range(30)]  # fmt: skip
    new = [decided(at, confidence="0.99", model_name="m", model_version="2", chosen="reject")
           for at in range(30, 60)]  # fmt: skip
    found = asked("drift", [*old, *new])
    assert found["drift.confidence"].detail["p_value"] == 0.01
    assert found["drift.choice"].value == 1.0
    few = asked("drift", [old[0], new[0]])
    assert {it.status for it in few.values()} == {Status.INSUFFICIENT}


def arms(treated: int, control: int, failed: int) -> list[Joined]:
    flags = [{"risk": "v2"}] * treated + [{"risk": "off"}] * control
    return [
        acted(
            decided(at, feature_flags=flag), at,
            flow=flow(at, FlowOutcome.FAILED if at < failed else FlowOutcome.SUCCEEDED),
        )
        for at, flag in enumerate(flags)
    ]  # fmt: skip


def test_arms_differ_by_flows_against_the_control() -> None:
    found = asked("arms", arms(10, 20, failed=5))
    assert told(found["arms.failed"]) == (0.5, 30, 0)
    assert found["arms.failed"].low is not None and found["arms.failed"].low > 0
    assert told(found["arms.ratio"]) == (pytest.approx(1 / 3), 30, 0)
    assert "no shares declared" in found["arms.ratio"].note


def test_a_flow_in_two_arms_is_in_neither() -> None:
    both = arms(10, 10, failed=0)
    crossed = acted(decided(20, feature_flags={"risk": "off"}), flow=flow(0))
    found = asked("arms", [*both, crossed])
    assert told(found["arms.ratio"]) == (pytest.approx(9 / 19), 19, 1)


def test_a_flow_that_has_not_ended_has_not_failed() -> None:
    both = arms(10, 10, failed=0)
    running = replace(both[0], flow=flow(0, FlowOutcome.IN_PROGRESS))
    assert told(asked("arms", [running, *both[1:]])["arms.failed"]) == (0.0, 19, 1)


def test_95th_percentiles_of_arms_differ_with_an_interval() -> None:
    """150 flows of 20 s against 150 of 10 s; the interval of a percentile needs 59."""
    both = [
        replace(it, flow=replace(it.flow, end_ns=START + (20 if at < 150 else 10) * SECOND))
        for at, it in enumerate(arms(150, 150, failed=0)) if it.flow is not None
    ]  # fmt: skip
    found = asked("arms", both)["arms.slower"]
    assert (found.value, found.low, found.high) == (10 * SECOND, 10 * SECOND, 10 * SECOND)
    assert asked("arms", arms(20, 20, 0))["arms.slower"].status is Status.INSUFFICIENT


def test_a_wrong_split_makes_the_comparison_worthless() -> None:
    settings = replace(FEW, arm_shares=("risk v2 0.5", "risk off 0.5"))
    fine = asked("arms", arms(20, 20, failed=5), settings)
    assert fine["arms.ratio"].detail == {"hits": 20, "planned": 0.5, "p_value": 1.0}
    assert fine["arms.failed"].status is Status.MEASURED
    wrong = asked("arms", arms(5, 40, failed=5), settings)
    assert "the split is not the planned one" in wrong["arms.ratio"].note
    assert wrong["arms.failed"].status is Status.INSUFFICIENT
    third = [*arms(20, 20, 0), acted(decided(40, feature_flags={"risk": "v3"}), 40)]
    assert "v3 has no declared share" in asked("arms", third, settings)["arms.ratio"].note
    with pytest.raises(UsageError, match="is not `FLAG VARIANT SHARE`"):
        asked("arms", arms(5, 5, 0), replace(FEW, arm_shares=("risk v2",)))


def test_determinism_counts_groups_of_equal_questions_only() -> None:
    same = [decided(at, input={"a": 1.0, "b": 2}) for at in range(2)]
    mixed = [decided(2, input="x"), decided(3, input="x", chosen="reject")]
    alone = [decided(4, input="y"), decided(5)]
    found = asked("determinism", [*same, *mixed, *alone])["determinism"]
    assert told(found) == (0.5, 2, 0)
    assert found.detail["mean_entropy_bits"] == 0.5
    assert found.detail["examples"] == [["d-2", "d-3"]]
    hot = decided(6, input={"a": 1.0, "b": 2}, chosen="reject", model={"parameters": {"t": 1}})
    assert told(asked("determinism", [*same, hot])["determinism"]) == (1.0, 1, 0)


def test_isolation_needs_a_declaration_and_counts_experimental_arms() -> None:
    decisions = [
        acted(decided(0, feature_flags={"risk": "v2"})),
        acted(decided(1, feature_flags={"risk": "off"}), 1),
        acted(decided(2), 2),
    ]
    assert asked("experiment_isolation", decisions)["experiment_isolation"].value is None
    settings = replace(FEW, critical_flows=("payment",))
    found = asked("experiment_isolation", decisions, settings)["experiment_isolation"]
    assert told(found) == (0.5, 2, 1)


def test_a_fallback_is_named_or_told() -> None:
    decisions = [
        decided(model_name="net"), decided(model_name="rules"), decided(fallback=True), decided(),
    ]  # fmt: skip
    assert told(asked("fallback_rate", decisions)["fallback_rate"]) == (pytest.approx(2 / 3), 3, 1)


def test_actions_without_any_decision_before_them_lower_the_completeness_of_the_log() -> None:
    whole = replace(flow(0), steps=[step()])
    lacking = replace(flow(1), steps=[step()], decision_ids=[])
    late = replace(flow(2), steps=[replace(step(), start_ns=START - SECOND)])
    decisions = [acted(decided(0), flow=whole), replace(decided(2), flow=late)]
    found = asked("log_completeness", decisions, flows=[whole, lacking, late])
    assert told(found["log_completeness.actions"]) == (pytest.approx(1 / 3), 3, 0)
    named = replace(decided(3), named=True, acted=False)
    found = asked("log_completeness", [*decisions, named])
    assert told(found["log_completeness.decisions"]) == (0.5, 2, 1)


def test_provenance_is_told_hop_by_hop() -> None:
    whole = acted(decided(
        gate="allow", input=1, model={"name": "m", "version": "1"},
        prompt={"id": "p", "version": "1"}, policy={"id": "r", "version": "1"},
    ))  # fmt: skip
    found = asked("provenance_coverage", [whole, acted(decided(gate="allow", input=1), 1)])
    assert told(found["provenance_coverage"]) == (0.5, 2, 0)
    assert told(found["provenance_coverage.input"]) == (1.0, 2, 0)
    assert told(found["provenance_coverage.model"]) == (0.5, 2, 0)
    assert found["provenance_coverage.retrieval"].status is Status.NOT_APPLICABLE
    assert found["provenance_coverage"].detail["mean_depth"] == 3.5


def test_retention_is_the_age_of_the_oldest_decision() -> None:
    found = asked("log_integrity", [decided(0), decided(9)], data_end_ns=START + 200 * DAY_NS)
    assert told(found["retention"]) == (200.0 * DAY_NS, 2, 0)
    assert (found["retention"].low, found["retention"].high) == (200 * DAY_NS, 200 * DAY_NS)
    assert "older than the 183 days" in found["retention"].note
    young = asked("log_integrity", [decided(0)])["retention"]
    assert "cannot show them" in young.note


def test_integrity_is_of_the_log_as_it_stands(tmp_path: Path) -> None:
    with Store(tmp_path / "s.duckdb").lease("test", create=True) as session:
        found = asked("log_integrity", [], log=check_log(session))["log_integrity"]
    assert found.status is Status.NOT_APPLICABLE


def test_integrity_is_the_share_of_leaves_without_a_fault(tmp_path: Path) -> None:
    with Store(tmp_path / "s.duckdb").lease("test", create=True) as session:
        log = replace(check_log(session), leaves=[b"1", b"2", b"3", b"4"], fault_count=1)
    found = asked("log_integrity", [], log=log)["log_integrity"]
    assert (found.value, found.low, found.high, found.n) == (0.75, 0.75, 0.75, 4)


def test_slices_are_measured_apart() -> None:
    decisions = [
        decided(at, gate="allow", model_name="m", model_version=str(at % 2)) for at in range(6)
    ]
    case = Case(decisions=decisions, flows=[], data_end_ns=START, settings=FEW)
    found = measured(case, By.MODEL)
    assert {it.filter["model"] for it in found} == {"m@0", "m@1"}
    assert {it.measure.n for it in found if it.measure.metric == "gate_outcomes.deny"} == {3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[models.m]\ninput = 1", "which one it is"),
        ('version = "1"\n[models.m]\nput = 1', "may have cache_read"),
        ('version = "1"\n[models.m]\ninput = "x"', "is no number"),
        ('version = "1"\n[models.m]\ninput = -1', "below 0"),
        ("version =", "is not TOML"),
    ],
)
def test_a_bad_price_table_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said) as raised:
        read_prices(path)
    assert str(path) in str(raised.value)


def test_prices_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text('version = "2026-11"\n[models."m@2"]\ninput = 0.1\noutput = 3\n')
    assert read_prices(path) == {"m@2": {"input": Decimal("0.1"), "output": Decimal(3)}}
