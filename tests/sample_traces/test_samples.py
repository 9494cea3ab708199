"""The committed recordings keep their promises: size, honesty, completeness."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from tests.sample_traces.recorded import NAMES, PLAIN, SAMPLES, spans

WITH_OURS = tuple(name for name in NAMES if name != PLAIN)
BYTES_MAX = 5_000_000
WORDS_OF_THE_PLAN = ("fault", "injected", "chaos", "stuck_share", "slow_share", "simulated")


def test_all_samples_together_stay_small() -> None:
    """Says nothing on how the bytes are shared out."""
    files = [path for name in NAMES for path in (SAMPLES / name).iterdir()]
    assert sum(path.stat().st_size for path in files) < BYTES_MAX


@pytest.mark.parametrize("sample", NAMES)
def test_gzip_headers_carry_no_time(sample: str) -> None:
    """Cannot prove that the compressed bytes are the same on every zlib."""
    for path in (SAMPLES / sample).glob("*.gz"):
        assert path.read_bytes()[4:8] == b"\0\0\0\0", path.name


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
