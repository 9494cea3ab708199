"""What the recorder records by OpenTelemetry's own instrumentations is read, and replays."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from ingest.limits import Limits
from ingest.reader import discover
from replay.code.engine import Subject, replay_code
from replay.code.process import CHILD
from replay.code.settings import CodeSettings
from store.model import LogRecord, Span
from tests.replay.code.recorded import PROGRAMS, code
from tests.replay.code.test_clients import PYTHON, installed

INSTRUMENTED = {
    "by_requests": "opentelemetry.instrumentation.requests",
    "by_httpx": "opentelemetry.instrumentation.httpx",
    "by_async_httpx": "opentelemetry.instrumentation.httpx",
    "by_aiohttp": "opentelemetry.instrumentation.aiohttp_client",
}
# A busy machine may hold up the recorded process; this is about what it did, not how fast.
PATIENT = CodeSettings(gap_max_ns=60_000_000_000)


def recorded(name: str, folder: Path) -> tuple[dict[str, Any], list[Span], list[LogRecord]]:
    """One order, recorded in a process of its own: what it said, and what was read of it."""
    module = INSTRUMENTED[name]
    if not installed(module):
        # OpenTelemetry publishes its instrumentations apart; this one may lag behind the others.
        assert not os.environ.get("CI") or "aiohttp" in module, f"CI must have {module}"
        pytest.skip(f"{module} is not installed")
    path = os.pathsep.join([str(CHILD), str(PROGRAMS)])
    done = subprocess.run(
        [PYTHON, str(PROGRAMS / "record.py"), name, str(folder)],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    reader, spans, logs = discover()["otlp_protobuf"], list[Span](), list[LogRecord]()
    for file in ("traces.pb", "logs.pb"):
        with (folder / file).open("rb") as stream:
            for item in reader.read(stream, Limits()):
                if isinstance(item, Span):
                    spans.append(item)
                elif isinstance(item, LogRecord):
                    logs.append(item)
    return json.loads(done.stdout.splitlines()[-1]), spans, logs


@pytest.mark.parametrize("name", sorted(INSTRUMENTED))
def test_a_recorded_order_is_read_and_replays_to_identical(name: str, tmp_path: Path) -> None:
    said, spans, logs = recorded(name, tmp_path)
    assert said["errors"] == {}
    rows = assign(spans, logs, [], AssignSettings())
    flow = derive(rows[0], DeriveSettings())
    assert len(rows) == 1
    assert (flow.name, flow.service, flow.replayability) == ("order", "orders", "R3")
    what = code(f"shop_orders:{name}", python=PYTHON, environment={"SHOP": said["shop"]})
    subject = Subject(flow=flow, spans=spans)
    [result] = replay_code([subject], what, settings=PATIENT)
    told = [it for it in result.divergences if it.path != "output.scored_here"]
    assert told == [], (told, result.events, result.flags, result.reason)
    if "scored_here" in said["output"]:
        # The model is not asked again: that is the one thing the replay does otherwise.
        assert len(result.divergences) == 1
        assert result.divergences[0].replayed == 0
    else:
        assert result.verdict == "identical"
    kept = json.dumps([span.attributes for span in spans], default=str)
    for secret in ("4111111111111111", "L-77", "sesame"):
        assert secret not in kept
