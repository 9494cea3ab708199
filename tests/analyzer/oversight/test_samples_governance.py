"""What is measured of the recorded incidents is what the services' own books say.

The books were kept by the services apart from their telemetry.
"""

from functools import lru_cache

import pytest

from analyzer.derive import decisions_in
from analyzer.oversight.joined import Gate, Joined, Payload
from analyzer.oversight.measure import Case, Measure
from analyzer.oversight.read import join
from analyzer.oversight.report import measured
from analyzer.oversight.settings import OversightSettings
from tests.analyzer.test_samples import Sample, sample

QUICK = OversightSettings(resamples=99)
DIRTY = ("payment-brownout", "onboarding-model-rollout", "enrichment-drift")
HEALTHY = ("payment-healthy", "onboarding-healthy", "enrichment-healthy")


@lru_cache(maxsize=2)
def judged(name: str) -> tuple[Sample, list[Joined], dict[str, Measure]]:
    """A sample with its decisions joined and what is measured of them."""
    found = sample(name)
    decisions = [it for rows in found.rows.values() for it in decisions_in(rows)]
    joined, flows = join(decisions, list(found.flows.values()))
    case = Case(decisions=joined, flows=flows, data_end_ns=0, settings=QUICK)
    return found, joined, {it.measure.metric: it.measure for it in measured(case)}


def hits(measures: dict[str, Measure], name: str) -> object:
    return measures[name].detail["hits"]


def flows_with(joined: list[Joined], gate: Gate) -> set[str]:
    return {it.decision.flow_id or "" for it in joined if it.gate is gate}


def test_gates_that_were_skipped_or_came_late_are_those_of_the_books() -> None:
    found, joined, measures = judged("onboarding-model-rollout")
    missing, after = (
        found.books(f"governance.{name}") for name in ("gate_missing", "gate_after_action")
    )
    assert flows_with(joined, Gate.MISSING) == missing
    assert flows_with(joined, Gate.AFTER) == after
    assert hits(measures, "gate_coverage.missing") == len(missing)
    assert hits(measures, "gate_coverage.after_action") == len(after)


@pytest.mark.parametrize("name", DIRTY)
def test_actions_below_the_threshold_are_those_of_the_books(name: str) -> None:
    found, _, measures = judged(name)
    assert hits(measures, "below_threshold_rate") == len(
        found.books("detector.below_threshold_action")
    )


@pytest.mark.parametrize("name", DIRTY)
def test_gates_said_what_the_books_say(name: str) -> None:
    found, _, measures = judged(name)
    gates = found.expected["gates"]
    assert hits(measures, "gate_outcomes.deny") == gates.get("deny", 0)
    assert hits(measures, "gate_outcomes.escalate") == gates.get("escalate", 0)


def test_overrides_are_those_of_the_books() -> None:
    found, _, measures = judged("onboarding-model-rollout")
    books = found.expected["reviews"]
    assert (measures["override_rate"].n, hits(measures, "override_rate")) == (
        books["reviewed"], books["overridden"],
    )  # fmt: skip


def test_equal_texts_with_different_answers_are_those_of_the_books() -> None:
    found, _, measures = judged("enrichment-drift")
    it = measures["determinism"]
    assert it.n - int(str(it.detail["hits"])) == len(found.expected["disagreements"])


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_recording_has_nothing_to_tell(name: str) -> None:
    _, joined, measures = judged(name)
    assert flows_with(joined, Gate.MISSING) == flows_with(joined, Gate.AFTER) == set()
    assert all(it.payload is not Payload.DIFFERS for it in joined)
    for metric in ("gate_coverage.against", "below_threshold_rate"):
        assert hits(measures, metric) == 0
    for metric in ("log_completeness.actions", "log_completeness.decisions"):
        assert measures[metric].value == 1
