"""What the recorder records by OpenTelemetry's own instrumentations is read, and replays."""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen
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
from tests.third_party import needs

INSTRUMENTED = {
    "by_requests": "opentelemetry.instrumentation.requests",
    "by_httpx": "opentelemetry.instrumentation.httpx",
    "by_async_httpx": "opentelemetry.instrumentation.httpx",
    "by_aiohttp": "opentelemetry.instrumentation.aiohttp_client",
}
# A busy machine may hold up the recorded process; this is about what it did, not how fast.
PATIENT = CodeSettings(gap_max_ns=60_000_000_000)


def recorded(
    name: str, folder: Path, orders: int = 1, meanwhile: Callable[[Popen[str]], object] = Popen.poll
) -> tuple[dict[str, Any], list[Span], list[LogRecord]]:
    """Orders, recorded in a process of its own: what it said of the last, and what was read."""
    module = INSTRUMENTED.get(name, INSTRUMENTED["by_requests"])
    needs(module, installed=installed(module))
    path = os.pathsep.join([str(CHILD), str(PROGRAMS)])
    with Popen(
        [PYTHON, str(PROGRAMS / "record.py"), name, str(folder), str(orders)],
        env={**os.environ, "PYTHONPATH": path}, stdout=PIPE, stderr=PIPE, text=True,
    ) as process:  # fmt: skip
        meanwhile(process)
        said, wrong = process.communicate(timeout=120)
    assert process.returncode == 0, wrong
    reader, spans, logs = discover()["otlp_protobuf"], list[Span](), list[LogRecord]()
    for file in ("traces.pb", "logs.pb"):
        with (folder / file).open("rb") as stream:
            for item in reader.read(stream, Limits()):
                if isinstance(item, Span):
                    spans.append(item)
                elif isinstance(item, LogRecord):
                    logs.append(item)
    return json.loads(said.splitlines()[-1]), spans, logs


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


ORDERS = 8


def pausing(process: Popen[str]) -> None:
    """Stop a process for 30 ms again and again, as a busy machine does."""
    while process.poll() is None:
        for asked in (signal.SIGSTOP, signal.SIGCONT):
            with suppress(ProcessLookupError):
                process.send_signal(asked)
            time.sleep(0.03)


def test_a_process_that_stood_still_is_told_from_one_that_waits(tmp_path: Path) -> None:
    said, spans, _ = recorded("paced", tmp_path, ORDERS, pausing)
    flows = [derive(it, DeriveSettings()) for it in assign(spans, [], [], AssignSettings())]
    subjects = [
        Subject(flow=flow, spans=[it for it in spans if it.trace_id in flow.trace_ids])
        for flow in flows
    ]
    assert len(subjects) == ORDERS

    def verdicts(name: str, subjects: list[Subject]) -> set[str]:
        shop = {"SHOP": said["shop"]}
        what = code(f"shop_orders:{name}", python=PYTHON, environment=shop, isolate=False)
        return {it.verdict for it in replay_code(subjects, what)}

    assert verdicts("paced", subjects) == {"identical"}
    assert verdicts("hasty", subjects) == {"diverged"}
    # Without the recorded waits a pause may as well be a wait that the code no longer does.
    bare = [
        replace(it, spans=[replace(span, attributes=unwaited(span)) for span in it.spans])
        for it in subjects
    ]
    assert "diverged" in verdicts("paced", bare)


def unwaited(span: Span) -> dict[str, Any]:
    return {name: it for name, it in span.attributes.items() if "retrospan.wait" not in name}
