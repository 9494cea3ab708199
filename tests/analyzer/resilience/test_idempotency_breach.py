"""One key, one effect, one payload, one result."""

from pathlib import Path

import pytest

from store.conclusions import Verdict
from store.model import Span
from tests.analyzer.population import flow, said

EDGE = ("gateway", "POST /charges")


def used(key: str, ref: str, payload: str = "1", answer: str = "ok", number: int = 0) -> list[Span]:
    """A flow with one charge under a key."""
    made = flow(number)
    made.call(
        *EDGE, 10, 20, key=key, ref=ref,
        extra={
            "http.request.body.content": f'{{"amount": {payload}}}',
            "http.response.body.content": f'{{"status": "{answer}"}}',
        },
    )  # fmt: skip
    return made.all_spans()


@pytest.mark.parametrize(
    ("again", "fault", "verdict", "severity"),
    [
        ({"ref": "ch-2"}, "effects", Verdict.VIOLATION, "critical"),
        ({"payload": "2"}, "payloads", Verdict.VIOLATION, "warning"),
        ({"answer": "declined"}, "results", Verdict.SUSPECTED, "info"),
    ],
)
def test_a_key_used_again_must_mean_the_same(
    tmp_path: Path, again: dict[str, str], fault: str, verdict: Verdict, severity: str
) -> None:
    spans = used("k", "ch-1") + used("k", **{"ref": "ch-1", "number": 1, **again})  # type: ignore[arg-type]
    (finding,) = said(tmp_path, "idempotency_breach", spans).findings
    assert (finding.facts["fault"], finding.verdict, finding.severity) == (fault, verdict, severity)
    assert len(finding.evidence) == 2


def test_the_same_again_is_what_keys_are_for(tmp_path: Path) -> None:
    told = said(tmp_path, "idempotency_breach", used("k", "ch-1") + used("k", "ch-1", number=1))
    assert (list(told.findings), told.coverage.verdict) == ([], Verdict.PASS)
    assert told.coverage.facts["examined"] == {"keys": 1, "used more than once": 1}


def test_other_keys_are_other_things(tmp_path: Path) -> None:
    spans = used("k1", "ch-1") + used("k2", "ch-2", payload="2", number=1)
    assert not said(tmp_path, "idempotency_breach", spans).findings


def test_without_keys_it_is_unknown(tmp_path: Path) -> None:
    made = flow(0)
    made.call(*EDGE, 10, 20)
    told = said(tmp_path, "idempotency_breach", made.all_spans())
    assert told.coverage.verdict is Verdict.UNKNOWN
    assert told.coverage.facts["missing"] == ["retrospan.idempotency_key"]
