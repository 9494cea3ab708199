"""What another revision answers, whether gates recompute, and what is slow or dear per arm."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analyzer.oversight.joined import DATED_NS, Joined
from analyzer.oversight.measure import Status
from analyzer.oversight.policy import load_policy
from store.errors import UsageError
from tests.analyzer.oversight.test_metrics import FEW, SECOND, acted, asked, decided, flow, told

RULES = """
schema: retrospan.policy/1
id: risk
version: {version}
rules: [{{when: confidence >= 0.8, outcome: allow}}]
default: deny
"""


def judged(number: int, version: str, gate: str, **record: Any) -> Joined:
    """A decision that a version of the policy `risk` judged."""
    it = decided(number, gate=gate, **{"input": "x", **record})
    return replace(it, decision=replace(it.decision, policy_id="risk", policy_version=version))


def test_a_flip_is_an_equal_input_that_the_next_revision_answers_otherwise() -> None:
    decisions = [
        judged(0, "v1", "allow", input="a"), judged(1, "v1", "allow", input="b"),
        judged(2, "v2", "deny", input="a"), judged(3, "v2", "allow", input="b"),
        judged(4, "v3", "deny", input="a"), judged(5, "v3", "deny", input="only here"),
    ]  # fmt: skip
    found = asked("flip_rate", decisions)["flip_rate.policy"]
    assert told(found) == (1 / 3, 3, 0)
    assert found.detail["examples"] == [["d-0", "d-2"]]
    assert found.status is Status.INSUFFICIENT
    assert found.low is not None and found.high is not None


def test_a_revision_that_contradicts_itself_says_nothing_of_the_next() -> None:
    decisions = [judged(0, "v1", "allow"), judged(1, "v1", "deny"), judged(2, "v2", "deny")]
    assert told(asked("flip_rate", decisions)["flip_rate.policy"]) == (None, 0, 1)


def test_revisions_are_in_the_order_in_which_they_came_into_use_not_of_their_names() -> None:
    decisions = [judged(0, "v9", "allow"), judged(1, "v10", "deny"), judged(2, "v11", "deny")]
    assert told(asked("flip_rate", decisions)["flip_rate.policy"]) == (0.5, 2, 0)


def test_models_flip_by_what_they_chose_and_inputs_may_be_hashes() -> None:
    old = decided(0, model_name="m", model_version="1", input_sha256="ff")
    new = decided(1, model_name="m", model_version="2", input_sha256="ff", chosen="reject")
    other = decided(2, model_name="n", model_version="1", input_sha256="ff", chosen="hold")
    found = asked("flip_rate", [old, new, other, decided(3)])["flip_rate.model"]
    assert told(found) == (1.0, 1, 0)
    assert found.detail["lacking"] == 1


def test_a_gate_recomputes_by_the_file_of_its_own_version_alone(tmp_path: Path) -> None:
    path = tmp_path / "risk.yaml"
    path.write_text(RULES.format(version="v1"))
    decisions = [
        judged(0, "v1", "allow", confidence="0.9"),
        judged(1, "v1", "allowed", confidence="0.8"),
        judged(2, "v1", "allow", confidence="0.5"),
        judged(3, "v1", "allow"),
        judged(4, "v2", "allow", confidence="0.9"),
        decided(5),
    ]
    found = asked("policy_agreement", decisions, policies=[load_policy(path)])["policy_agreement"]
    assert told(found) == (2 / 3, 3, 2)
    assert found.detail == {"hits": 2, "without_file": 1, "otherwise": ["d-2"]}


def test_without_policy_files_agreement_is_unknown_and_two_of_one_version_are_refused(
    tmp_path: Path,
) -> None:
    decisions = [judged(0, "v1", "allow", confidence="0.9")]
    assert told(asked("policy_agreement", decisions)["policy_agreement"]) == (None, 0, 1)
    path = tmp_path / "risk.yaml"
    path.write_text(RULES.format(version="v1"))
    twice = [load_policy(path), load_policy(path)]
    with pytest.raises(UsageError, match="two files of one policy"):
        asked("policy_agreement", decisions, policies=twice)


def arm(variant: str, first: int, count: int, cost: float) -> list[Joined]:
    """Decisions of an arm; the flow of the number n takes n seconds."""
    found = []
    for at in range(first, first + count):
        it = decided(at, feature_flags={"risk": variant}, usage={"cost_usd": cost + at / 1000})
        own = flow(at)
        found.append(acted(it, at, flow=replace(own, end_ns=own.start_ns + at * SECOND)))
    return found


def test_each_arm_has_its_slowest_flows_and_dearest_decisions() -> None:
    decisions = [*arm("v2", 101, 100, 1.0), *arm("off", 1, 100, 0.0)]
    settings = replace(FEW, resamples=199)
    found = [
        it for it in _all("arms", decisions, settings) if it.metric.endswith("_p95")
    ]  # fmt: skip
    values = {(it.metric, it.note.split(",")[0]): (it.value, it.n) for it in found}
    assert values[("arms.latency_p95", "risk: off")] == (95.0 * SECOND, 100)
    assert values[("arms.latency_p95", "risk: v2")] == (195.0 * SECOND, 100)
    assert values[("arms.cost_p95", "risk: off")] == (pytest.approx(0.095), 100)
    assert all(it.low is not None and it.high is not None for it in found)


def test_the_difference_in_cost_has_an_interval_and_needs_both_sides() -> None:
    decisions = [*arm("v2", 101, 30, 1.0), *arm("off", 1, 30, 0.0)]
    (found,) = [it for it in _all("arms", decisions, FEW) if it.metric == "arms.cost"]
    assert found.value == pytest.approx(1.1)
    assert found.low is not None and found.high is not None
    assert 1.0 < found.low < 1.1 < found.high < 1.2
    bare = [
        *arm("v2", 101, 30, 1.0),
        *(
            replace(it, decision=decided(at, feature_flags={"risk": "off"}).decision)
            for at, it in enumerate(arm("off", 1, 30, 0.0))
        ),
    ]
    (found,) = [it for it in _all("arms", bare, FEW) if it.metric == "arms.cost"]
    assert (found.value, found.n, found.unknown) == (None, 30, 30)


def _all(name: str, decisions: list[Joined], settings: Any) -> list[Any]:
    from analyzer.oversight.measure import Case
    from analyzer.oversight.report import metrics

    (metric,) = [it for it in metrics() if it.name == name]
    return list(metric.measure(Case(
        decisions=decisions, settings=settings, flows=[], data_end_ns=0,
    )))  # fmt: skip


def test_a_made_up_time_says_nothing_of_age_and_change() -> None:
    """Recordings without times begin in 1970: their order is known, their age is not."""
    undated = []
    for at in range(8):
        it = decided(at, confidence="0.5")
        undated.append(replace(it, decision=replace(it.decision, time_ns=at)))
    assert told(asked("log_integrity", undated)["retention"]) == (None, 0, 8)
    assert asked("drift", undated)["drift.choice"].value is None
    assert asked("drift", undated)["drift.choice"].unknown == 8
    own = replace(flow(1), start_ns=DATED_NS - 1, end_ns=DATED_NS)
    assert acted(undated[0], 1, flow=own).flow_ns is None


def test_drift_is_between_versions_of_one_model_never_between_models() -> None:
    names = [("m", "1"), ("n", "1"), ("m", "2")]
    decisions = [
        decided(at, model_name=name, model_version=version)
        for at, (name, version) in enumerate(names * 3)
    ]
    notes = {re.split("[:;]", it.note)[0] for it in _all("drift", decisions, FEW)}
    assert {it for it in notes if "→" in it and "half" not in it} == {"m@1 → m@2"}


def test_a_roll_out_is_no_drift_in_time() -> None:
    """The second version is surer; neither changes in itself, and only the roll-out tells."""
    decisions = [
        decided(at, confidence=f"0.{at % 4 + (1 if at < 80 else 5)}", model_name="m",
                model_version="1" if at < 80 else "2")
        for at in range(160)
    ]  # fmt: skip
    found = {
        it.detail["compared"]: it
        for it in _all("drift", decisions, FEW) if it.metric == "drift.confidence"
    }  # fmt: skip
    assert found["m@1 → m@2"].low is not None and found["m@1 → m@2"].low > 1
    for version in ("m@1", "m@2"):
        assert found[f"{version}, first half → second half"].low == 0
