"""The committed recordings keep their promises: size, honesty, completeness."""

from __future__ import annotations

import gzip
import hashlib
import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "sample_traces"
NAMES = ("payment-healthy", "payment-brownout", "payment-brownout-plain")
WITH_OURS = NAMES[:2]
BYTES_MAX = 5_000_000
SPANS_PER_FLOW_MIN, SPANS_PER_FLOW_MAX = 3, 60
WORDS_OF_THE_PLAN = ("fault", "injected", "chaos", "stuck_share", "slow_share", "simulated")

Span = dict[str, Any]


def lines(sample: str, name: str) -> Iterator[Any]:
    """The documents of one file of a sample."""
    with gzip.open(SAMPLES / sample / name, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


@cache
def expected(sample: str) -> dict[str, Any]:
    """The parsed truth of a sample."""
    return tomllib.loads((SAMPLES / sample / "expected.toml").read_text(encoding="utf-8"))


@cache
def spans(sample: str) -> list[Span]:
    """All spans, with `service` and a flat `attributes` map."""
    found: list[Span] = []
    for document in lines(sample, "traces.jsonl.gz"):
        for resource in document["resourceSpans"]:
            named = flat(resource["resource"]["attributes"])
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    attributes = flat(span.get("attributes", []))
                    found.append(
                        {**span, "service": named["service.name"], "attributes": attributes}
                    )
    return found


def flat(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """OTLP's key-value list as a map of bare values."""
    return {item["key"]: next(iter(item["value"].values())) for item in attributes}


def finding(sample: str, finder: str) -> set[str]:
    """The flows of one expected finding."""
    for entry in expected(sample)["findings"]:
        if entry["finder"] == finder:
            return set(entry["flows"])
    raise AssertionError(f"{sample}: no expected finding {finder}")


def flow_ids(sample: str) -> dict[str, str]:
    """Trace id to flow id, from the roots' input."""
    found = {}
    for span in spans(sample):
        if "parentSpanId" not in span:
            found[span["traceId"]] = span["attributes"]["retrospan.flow.id"]
    return found


def test_all_samples_together_stay_small() -> None:
    """Says nothing on how the bytes are shared out."""
    files = [path for name in NAMES for path in (SAMPLES / name).iterdir()]
    assert sum(path.stat().st_size for path in files) < BYTES_MAX


@pytest.mark.parametrize("sample", NAMES)
def test_gzip_headers_carry_no_time(sample: str) -> None:
    """Cannot prove that the compressed bytes are the same on every zlib."""
    for path in (SAMPLES / sample).glob("*.gz"):
        assert path.read_bytes()[4:8] == b"\0\0\0\0", path.name


@pytest.mark.parametrize("sample", WITH_OURS)
def test_every_expected_flow_has_exactly_one_trace(sample: str) -> None:
    """Cannot prove that the flow's trace is complete."""
    truth = expected(sample)
    ids = list(flow_ids(sample).values())
    assert len(ids) == len(set(ids)) == truth["flows"]
    for entry in truth["findings"]:
        assert set(entry["flows"]) <= set(ids), entry["finder"]


@pytest.mark.parametrize("sample", NAMES)
def test_every_flow_has_a_sane_number_of_spans(sample: str) -> None:
    """Cannot prove that no span is missing from the middle of a flow."""
    counts: dict[str, int] = defaultdict(int)
    for span in spans(sample):
        counts[span["traceId"]] += 1
    assert len(counts) == expected(sample)["flows"]
    assert min(counts.values()) >= SPANS_PER_FLOW_MIN
    assert max(counts.values()) <= SPANS_PER_FLOW_MAX
    assert 15 <= sum(counts.values()) / len(counts) <= 25


@pytest.mark.parametrize("sample", NAMES)
def test_no_span_lost_its_parent(sample: str) -> None:
    """Cannot prove that leaf spans were not lost."""
    known = {span["spanId"] for span in spans(sample)}
    assert len(known) == len(spans(sample))
    assert all(span["parentSpanId"] in known for span in spans(sample) if "parentSpanId" in span)


@pytest.mark.parametrize("sample", NAMES)
def test_telemetry_does_not_say_which_faults_were_planned(sample: str) -> None:
    """Looks for the plan's own words only."""
    for name in ("traces.jsonl.gz", "logs.jsonl.gz"):
        text = gzip.decompress((SAMPLES / sample / name).read_bytes()).decode().lower()
        assert [word for word in WORDS_OF_THE_PLAN if word in text] == []


def test_plain_sample_has_nothing_of_ours() -> None:
    """Its truth file may of course name our finders."""
    folder = SAMPLES / "payment-brownout-plain"
    assert not (folder / "decisions.jsonl.gz").exists()
    for path in folder.glob("*.gz"):
        assert b"retrospan." not in gzip.decompress(path.read_bytes()), path.name


def test_plain_sample_has_the_same_spans_as_its_source() -> None:
    """Compares ids, times and names, not every attribute."""

    def keys(sample: str) -> list[tuple[str, str, str, str]]:
        return [(s["traceId"], s["spanId"], s["name"], s["endTimeUnixNano"]) for s in spans(sample)]

    assert keys("payment-brownout-plain") == keys("payment-brownout")


@pytest.mark.parametrize("sample", WITH_OURS)
def test_decision_log_is_one_unbroken_chain(sample: str) -> None:
    """Cannot prove that the tail of the log was not cut."""
    previous = "0" * 64
    with gzip.open(SAMPLES / sample / "decisions.jsonl.gz", "rt", encoding="utf-8") as log:
        for seq, line in enumerate(log):
            record = json.loads(line)
            assert (record["schema"], record["seq"]) == ("retrospan.decision/1", seq)
            assert record["prev_sha256"] == previous
            previous = hashlib.sha256(line.rstrip("\n").encode()).hexdigest()


@pytest.mark.parametrize("sample", WITH_OURS)
def test_every_decision_belongs_to_a_scoring_call(sample: str) -> None:
    """Cannot prove that every scoring call left a decision."""
    names = {span["spanId"]: span["attributes"].get("url.template") for span in spans(sample)}
    flows = flow_ids(sample)
    for record in lines(sample, "decisions.jsonl.gz"):
        assert names[record["span_id"]] == "/scores"
        assert flows[record["trace_id"]] == record["flow_id"]


def test_spans_show_the_key_changes_the_books_show() -> None:
    """The truth comes from the gateways' books; here the callers' spans must agree."""
    keys: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for span in spans("payment-brownout"):
        named = span["attributes"]
        if span["kind"] == 3 and "retrospan.idempotency_key" in named:
            step = (named["server.address"], named["url.template"], named["retrospan.step.key"])
            keys[(span["traceId"], *step)].add(named["retrospan.idempotency_key"])
    flows = flow_ids("payment-brownout")
    seen = {flows[step[0]] for step, used in keys.items() if len(used) > 1}
    assert seen == finding("payment-brownout", "saga.S11")


def test_spans_show_the_duplicate_charges_the_books_show() -> None:
    """The truth comes from the gateways' books; here their spans must agree."""
    charges: dict[str, set[str]] = defaultdict(set)
    for span in spans("payment-brownout"):
        named = span["attributes"]
        if span["kind"] == 2 and span["name"] == "POST /charges":
            reference = named.get("retrospan.saga.external_ref")
            charges[span["traceId"]] |= {reference} - {None}
    flows = flow_ids("payment-brownout")
    seen = {flows[trace_id] for trace_id, made in charges.items() if len(made) > 1}
    assert seen == finding("payment-brownout", "detector.duplicate_effect")


@pytest.mark.parametrize(
    ("finder", "count_min"),
    [
        ("saga.S1", 5),
        ("saga.S2", 5),
        ("saga.S3", 5),
        ("saga.S4", 5),
        ("saga.S7", 5),
        ("saga.S11", 20),
        ("detector.duplicate_effect", 12),
        ("detector.below_threshold_action", 15),
    ],
)
def test_brownout_breaks_every_promise_often_enough(finder: str, count_min: int) -> None:
    """Counts only; which flows they are is the truth file's business."""
    assert len(finding("payment-brownout", finder)) >= count_min


def test_only_the_faulty_release_breaks_promises() -> None:
    """A notification may fail in any release: that one step is tolerated."""
    culprits = set()
    for span in spans("payment-brownout"):
        named = span["attributes"]
        if named.get("retrospan.flow.version") == "2.4.0":
            culprits.add(named["retrospan.flow.id"])
    for entry in expected("payment-brownout")["findings"]:
        if entry["finder"] != "saga.S12":
            assert set(entry["flows"]) <= culprits, entry["finder"]
    assert {entry["flow"] for entry in expected("payment-brownout")["residuals"]} <= culprits


def test_every_release_has_enough_flows_to_learn_from() -> None:
    """130 flows are a floor, not a proof that every branch was taken."""
    versions = expected("payment-brownout")["versions"]
    assert {entry["version"] for entry in versions} == {"2.3.0", "2.4.0", "2.4.1"}
    assert all(entry["flows"] >= 130 for entry in versions)


def test_healthy_sample_is_healthy() -> None:
    """Expects declines and denials, all of them undone in full."""
    truth = expected("payment-healthy")
    assert [entry["finder"] for entry in truth["findings"] if entry["count"]] == []
    assert set(truth["outcomes"]) <= {"succeeded", "compensated", "failed"}
    assert truth["outcomes"]["compensated"] >= 10
    assert "residuals" not in truth
