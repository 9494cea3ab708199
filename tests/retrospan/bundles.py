"""A store of recorded spans made by hand, with an incident in it, to be bundled."""

import random
from collections.abc import Sequence
from pathlib import Path

from retrospan.bundle.writing import Wanted, Written, write_bundle
from retrospan.edge import Edge
from retrospan.incident import declare
from retrospan.loading import derive
from retrospan.redaction_level import Level
from store import read, write
from store.model import Batch, Decision, JsonValue, LogRecord, Span

SECOND = 1_000_000_000
START = 1_772_618_400 * SECOND
FLOWS = 12
SLO = Path(__file__).resolve().parents[2] / "retrospan" / "slos" / "payment.yaml"


def spans_of(index: int, attribute: dict[str, str] | None = None) -> list[Span]:
    """A payment: its root, a reservation, a charge that times out in every third one."""
    trace = f"{index + 1:032x}"
    start = START + index * 10 * SECOND
    failed = index % 3 == 0

    def span(number: int, name: str, ok: bool, extra: dict[str, str]) -> Span:
        return Span(
            trace_id=trace,
            span_id=f"{index + 1:08x}{number:08x}",
            parent_span_id=None if number == 1 else f"{index + 1:08x}{1:08x}",
            name=name,
            kind="server" if number == 1 else "client",
            service="orchestrator",
            start_ns=start + number * SECOND // 10,
            end_ns=start + (number + 8 if number == 1 else number + 1) * SECOND // 10,
            status="ok" if ok else "error",
            attributes={**extra, **(attribute or {})},
            resource={"service.name": "orchestrator"},
        )

    call = {"http.request.method": "POST", "url.full": "http://shop/charge"}
    return [
        span(1, "pay", not failed, {"retrospan.flow.name": "payment"}),
        span(2, "reserve", True, {**call, "server.address": "stock"}),
        span(
            3,
            "charge",
            not failed,
            {**call, "server.address": "gateway", "http.response.status_code": "503"}
            if failed
            else {**call, "server.address": "gateway", "http.response.status_code": "200"},
        ),
    ]


def logs_of(index: int, text: str = "paid") -> list[LogRecord]:
    """One log record of the charge."""
    return [
        LogRecord(
            time_ns=START + index * 10 * SECOND,
            observed_ns=START + index * 10 * SECOND,
            trace_id=f"{index + 1:032x}",
            span_id=f"{index + 1:08x}{3:08x}",
            severity_number=9,
            severity_text="INFO",
            event_name="",
            body=text,
            service="orchestrator",
        )
    ]


def decision_of(index: int, text: str = "small sum") -> Decision:
    """One decision of the log."""
    record: dict[str, JsonValue] = {
        "schema": "retrospan.decision/1",
        "decision_id": f"d{index}",
        "time": "2026-03-04T10:00:00Z",
        "chosen": "approve",
        "input": {"why": text},
    }
    return Decision(
        decision_id=f"d{index}",
        time_ns=START + index * 10 * SECOND,
        chosen="approve",
        trace_id=f"{index + 1:032x}",
        record=record,
    )


def stored(
    path: Path, batches: Sequence[Batch], *, title: str = "charges time out"
) -> tuple[Edge, str]:
    """A store of these batches with the incident declared; its edge and the incident's id."""
    config = path.with_suffix(".toml")
    config.write_text("")
    edge = Edge(db=path, config=config, quiet=True)
    for batch in batches:
        with edge.lease("test", create=True) as session:
            write.write_batch(session, batch)
    derive(edge, lambda _: None)
    with edge.lease("test") as session:
        incident = declare(
            flows=read.read_flows(session),
            sagas=read.read_sagas(session),
            start_ns=START + 20 * SECOND,
            end_ns=START + 80 * SECOND,
            title=title,
            declared_by="person",
        )
        write.write_incident(session, incident)
    return edge, incident.incident_id


def batch(number: int, indexes: Sequence[int], **texts: str) -> Batch:
    """Some payments as one load."""
    attribute = {"note": texts["note"]} if "note" in texts else None
    said = {"text": texts["said"]} if "said" in texts else {}
    return Batch(
        source="hand",
        content_sha256=f"{number:064x}",
        reader="hand/1",
        rules_sha256="0" * 64,
        spans=[span for index in indexes for span in spans_of(index, attribute)],
        logs=[log for index in indexes for log in logs_of(index, **said)],
        decisions=[decision_of(index, **said) for index in indexes],
    )


def batches(seed: int) -> list[Batch]:
    """The payments in two loads; the seed decides which comes when."""
    mixed = random.Random(seed).sample(range(FLOWS), FLOWS)
    return [batch(2 * seed, mixed[:5]), batch(2 * seed + 1, mixed[5:])]


def bundled(
    edge: Edge, incident_id: str, output: Path, level: Level = Level.SECRETS, **more: object
) -> Written:
    """The incident in a file."""
    wanted = Wanted(incident_id=incident_id, level=level, around_ns=None, **more)  # type: ignore[arg-type]
    return write_bundle(edge, wanted, output, lambda _: None)
