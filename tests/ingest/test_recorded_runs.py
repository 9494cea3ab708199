"""Five recorded runs of one payment saga: history and spans together are one flow each.

That the recordings tell the truth of what happened is not proven here: their README says it.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from analyzer.rebuild import RebuildSettings, rebuild
from ingest.pipeline import IngestSettings, ingest_paths
from store.conclusions import Flow
from store.lease import Store
from store.read import read_flows, read_spans
from tests.third_party import corpora_folder

pytestmark = pytest.mark.corpora

FORWARD = ("reserve_stock", "score_risk", "charge_card", "ship")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What happened, in the words of the README."""

    name: str
    outcome: str
    steps: Sequence[str]
    attempts: Sequence[int]
    spans: int
    undone: Sequence[str] = ()
    failed: tuple[str, str] | None = None


TIMER = "Timer"
RUNS = (
    Run(name="ok", outcome="succeeded", steps=(*FORWARD[:3], TIMER, "ship"),
        attempts=(1, 1, 1, 1, 1), spans=17),
    Run(name="flaky", outcome="succeeded", steps=(*FORWARD[:3], TIMER, "ship"),
        attempts=(3, 1, 1, 1, 1), spans=19),
    Run(name="declined", outcome="compensated", steps=(*FORWARD[:3], "release_stock"),
        attempts=(1, 1, 1, 1), spans=16, undone=("reserve_stock",),
        failed=("charge_card", "CardDeclined")),
    Run(name="ship_failed", outcome="compensated",
        steps=(*FORWARD[:3], TIMER, "ship", "refund", "release_stock"),
        attempts=(1, 1, 1, 1, 1, 1, 1), spans=23, undone=("charge_card", "reserve_stock"),
        failed=("ship", "CarrierRefused")),
    Run(name="review", outcome="succeeded",
        steps=(*FORWARD[:2], TIMER, "charge_card", TIMER, "ship"),
        attempts=(1, 1, 1, 1, 1, 1), spans=18),
)  # fmt: skip


@pytest.fixture(scope="module")
def recordings() -> Path:
    """The folder of the recorded runs, beside the corpora."""
    return corpora_folder().parent / "recordings" / "temporal"


def loaded(store: Store, settings: IngestSettings, rounds: Sequence[Sequence[Path]]) -> list[Flow]:
    """The flows after each round of files was loaded and derived."""
    for files in rounds:
        ingest_paths(store, [str(path) for path in files], settings)
        rebuild(store, RebuildSettings())
    with store.lease("test") as session:
        return read_flows(session)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_run_is_one_flow_whatever_is_loaded_first(
    run: Run, recordings: Path, tmp_path: Path, settings: IngestSettings
) -> None:
    history, spans = (recordings / f"{kind}_{run.name}.json" for kind in ("history", "otlp"))
    orders = ([[spans], [history]], [[history], [spans]], [[history, spans]])
    found = [
        loaded(Store(tmp_path / f"{number}.duckdb"), settings, order)
        for number, order in enumerate(orders)
    ]
    for first, second in itertools.pairwise(found):
        assert first == second
    (flow,) = found[0]
    assert flow.outcome == run.outcome
    assert [step.name if step.kind != "timer" else TIMER for step in flow.steps] == list(run.steps)
    assert [len(step.attempts) for step in flow.steps] == list(run.attempts)
    names = {step.step_id: step.name for step in flow.steps}
    undone = [names[step.compensates] for step in flow.steps if step.compensates is not None]
    assert undone == list(run.undone)
    failed = [
        (step.name, step.attempts[-1].status) for step in flow.steps if step.outcome == "error"
    ]
    assert failed == ([run.failed] if run.failed else [])
    assert flow.span_count == run.spans
    assert (flow.name, flow.service, flow.replayability) == ("PaymentSaga", "payment-saga", "R3")
    assert flow.complete


def test_the_retried_activity_has_its_errors_with_its_bodies(
    recordings: Path, store: Store, settings: IngestSettings
) -> None:
    files = [recordings / f"{kind}_flaky.json" for kind in ("otlp", "history")]
    (flow,) = loaded(store, settings, [files])
    step = flow.steps[0]
    assert [attempt.status for attempt in step.attempts] == ["Unavailable", "Unavailable", "ok"]
    assert all(attempt.has_request and attempt.timeout_ms == 5000 for attempt in step.attempts)
    assert [attempt.response for attempt in step.attempts] == [None, None, "res-o2"]
    assert (step.max_attempts, step.backoff_initial_ms) == (4, 50)


def test_every_attempt_names_a_span_that_is_in_the_store(
    recordings: Path, store: Store, settings: IngestSettings
) -> None:
    files = [recordings / f"{kind}_{run.name}.json" for run in RUNS for kind in ("otlp", "history")]
    flows = loaded(store, settings, [files])
    assert len(flows) == len(RUNS)
    keys = {
        (attempt.trace_id, attempt.span_id)
        for flow in flows
        for step in flow.steps
        for attempt in step.attempts
    }
    with store.lease("test") as session:
        assert keys <= {(span.trace_id, span.span_id) for span in read_spans(session)}
