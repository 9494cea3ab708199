"""Sagas as workflow engines record them: Temporal histories and spans, Step Functions executions.

Engines say nothing of roles: all that is known rests on names (grade 4), and on Catch routes.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from analyzer.sagas import Coverage, coverage_of, verify
from ingest.limits import Limits
from ingest.reader import Reader
from ingest.readers.otlp_json import READER as OTLP
from ingest.readers.step_functions import READER as STEP_FUNCTIONS
from ingest.readers.temporal import READER as TEMPORAL
from store.conclusions import FlowOutcome, SagaVerdict, Verdict
from store.model import Span
from tests.analyzer.sagas.worlds import flows_of
from tests.third_party import corpora_folder

pytestmark = pytest.mark.corpora
HOUR_NS = 3_600_000_000_000
TOLD_BY = (("otlp",), ("history",), ("otlp", "history"))
READERS: dict[str, Reader] = {"otlp": OTLP, "history": TEMPORAL}


@lru_cache(maxsize=32)
def recorded(run: str, told_by: Sequence[str]) -> tuple[Span, ...]:
    folder = corpora_folder().parent / "recordings" / "temporal"
    return tuple(
        span for kind in told_by for span in spans_in(folder / f"{kind}_{run}.json", READERS[kind])
    )


def spans_in(path: Path, reader: Reader) -> list[Span]:
    with path.open("rb") as stream:
        return [it for it in reader.read(stream, Limits()) if isinstance(it, Span)]


def long_after(spans: Sequence[Span]) -> Coverage:
    """Coverage as if every service was heard of an hour after the last span."""
    end = max(span.end_ns or span.start_ns for span in spans) + HOUR_NS
    services = sorted({span.service for span in spans})
    later = [replace(spans[0], service=it, start_ns=end, end_ns=end) for it in services]
    return coverage_of([*spans, *later])


def judged(spans: Sequence[Span]) -> SagaVerdict:
    (flow,) = flows_of(spans)
    return verify(flow, long_after(spans))


def verdicts(spans: Sequence[Span]) -> dict[str, Verdict]:
    return {result.check: result.verdict for result in judged(spans).checks}


@pytest.mark.parametrize("told_by", TOLD_BY, ids="+".join)
class TestTemporal:
    """Five runs of one payment saga on a real server."""

    def test_a_run_that_failed_at_shipping_was_undone_in_order(
        self, told_by: Sequence[str]
    ) -> None:
        said = verdicts(recorded("ship_failed", told_by))
        passed = {name for name, verdict in said.items() if verdict is Verdict.PASS}
        assert passed == {"S2", "S3", "S4", "S5", "S7", "S14"}
        # shipping failed, and nobody says whether it is to be undone
        unknown = {name for name, verdict in said.items() if verdict is Verdict.UNKNOWN}
        assert unknown == {"S1", "S6", "S8", "S13"}

    @pytest.mark.parametrize("run", ["ok", "flaky", "declined", "ship_failed", "review"])
    def test_no_recorded_run_is_accused(self, run: str, told_by: Sequence[str]) -> None:
        said = verdicts(recorded(run, told_by))
        assert not {Verdict.VIOLATION, Verdict.SUSPECTED} & set(said.values()), said

    @pytest.mark.parametrize("run", ["ok", "review"])
    def test_a_run_that_went_through_leaves_nothing_open(
        self, run: str, told_by: Sequence[str]
    ) -> None:
        assert judged(recorded(run, told_by)).verdict is Verdict.NOT_APPLICABLE

    def test_undoing_in_the_wrong_order_is_a_violation(self, told_by: Sequence[str]) -> None:
        spans = recorded("ship_failed", told_by)
        renamed = {"refund": "release_stock", "release_stock": "refund"}
        swapped = []
        for span in spans:
            kind, _, name = span.name.partition(":")
            name = renamed.get(name, name)
            swapped.append(replace(span, name=f"{kind}:{name}" if name else kind))
        said = {result.check: result for result in judged(swapped).checks}
        assert said["S3"].verdict is Verdict.VIOLATION
        assert "release_stock" in said["S3"].message

    def test_a_compensation_that_failed_is_a_violation(self, told_by: Sequence[str]) -> None:
        spans = recorded("ship_failed", told_by)
        broken = [
            replace(span, status="error", status_message="ApplicationError: Down: no answer")
            if span.name.endswith("Activity:refund")
            else span
            for span in spans
        ]
        (flow,) = flows_of(broken)
        assert flow.outcome is FlowOutcome.COMPENSATION_FAILED
        assert verdicts(broken)["S7"] is Verdict.VIOLATION


def test_no_recorded_execution_of_step_functions_is_accused() -> None:
    paths = sorted((corpora_folder() / "workflows").glob("localstack*/**/*.json"))
    judged_flows = 0
    for path in paths:
        spans = spans_in(path, STEP_FUNCTIONS)
        coverage = long_after(spans) if spans else None
        for flow in flows_of(spans):
            assert coverage is not None
            accused = [
                it for it in verify(flow, coverage).checks if it.verdict is Verdict.VIOLATION
            ]
            assert accused == [], (path.name, flow.flow_id)
            judged_flows += 1
    assert judged_flows > 100


def test_no_recorded_history_of_temporal_is_accused() -> None:
    paths = sorted((corpora_folder() / "workflows").glob("temporalio*/**/*.json"))
    assert paths
    for path in paths:
        spans = spans_in(path, TEMPORAL)
        for flow in flows_of(spans):
            said = verify(flow, long_after(spans)).checks
            assert Verdict.VIOLATION not in {it.verdict for it in said}, path.name
