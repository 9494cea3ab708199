"""A small store made by hand: healthy, compensated, broken and hostile flows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from analyzer.derive import shape
from analyzer.sagas.undoing import undone_of, written
from dashboards.serve import READ_ONLY_VARIABLE, STORE_VARIABLE
from store.conclusions import (
    Attempt,
    CheckResult,
    CriticalSegment,
    Evidence,
    Finding,
    Flow,
    FlowOutcome,
    Incident,
    ReplayResult,
    ResidualEffect,
    SagaVerdict,
    Step,
    StepOutcome,
    Verdict,
)
from store.lease import Store
from store.model import Batch, Decision, LogRecord, Rejected, Span, SpanEvent
from store.read import counts
from store.write import write_batch
from store.write_derived import replace_flows, write_incident, write_replays

MS = 1_000_000
START_NS = 1_793_700_000 * 1_000 * MS  # 2026-11-03 10:00:00 UTC
HOSTILE = '<img src=x onerror="window.hacked=1">[click](javascript:alert(1))"];x-->y;`%%:skull:'
FLOW_COUNT = 24


LOG = LogRecord(
    time_ns=START_NS + 3 * 20_000 * MS + 300 * MS,
    observed_ns=START_NS,
    trace_id=f"{4:032x}",
    span_id=f"{4 * 256 + 2:016x}",
    severity_number=17,
    severity_text="ERROR",
    event_name="",
    body=HOSTILE,
    service="checkout",
)


def trace_id_of(number: int) -> str:
    return f"{number + 1:032x}"


def span_id_of(number: int, place: int) -> str:
    return f"{(number + 1) * 256 + place:016x}"


def spans_of(number: int, *, failed: bool, name: str) -> list[Span]:
    """Checkout → payment (twice when failed) → undo of the reservation; one orphan when failed."""
    begin = START_NS + number * 20_000 * MS

    def span(place: int, parent: int | None, service: str, name: str, at: int, took: int) -> Span:
        return Span(
            trace_id=trace_id_of(number),
            span_id=span_id_of(number, place),
            parent_span_id=None if parent is None else span_id_of(number, parent),
            name=name,
            kind="client" if place else "server",
            service=service,
            start_ns=begin + at * MS,
            end_ns=begin + (at + took) * MS,
            attributes={"http.request.method": "POST", "note": HOSTILE},
            resource={"service.name": service},
            events=(SpanEvent(name="sent", time_ns=begin + (at + 1) * MS),),
        )

    spans = [
        span(0, None, "checkout", name, 0, 900),
        span(1, 0, "checkout", "reserve stock", 10, 90),
        span(2, 0, "checkout", "charge card", 120, 250),
    ]
    if failed:
        spans[2] = replace(spans[2], status="error", status_message="503 from payment")
        spans.append(replace(span(3, 0, "checkout", "charge card", 420, 300), status="error"))
        spans.append(span(4, 0, "checkout", "release stock", 760, 60))
        spans.append(replace(span(5, 200, "payment", HOSTILE, 430, 280), end_ns=None))
    return spans


def attempt_of(span: Span, status: str = "ok", *, effect: bool | None = True) -> Attempt:
    ok = status == "ok"
    return Attempt(
        trace_id=span.trace_id,
        span_id=span.span_id,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        outcome=StepOutcome.OK if ok else StepOutcome.ERROR,
        status=status,
        http_status=200 if ok else int(status),
        request={"amount": "42.00", "who": HOSTILE},
        response={"ok": ok} if ok else None,
        has_request=True,
        has_response=ok,
        idempotency_key=f"key-{span.span_id}",
        took_effect=effect,
    )


def step_of(name: str, attempts: Sequence[Attempt], **more: object) -> Step:
    values: dict[str, object] = {
        "step_id": f"step:{name}",
        "key": "",
        "name": name,
        "kind": "call",
        "service": "checkout",
        "callee": "payment",
        "operation": f"POST /{name}",
        "outcome": attempts[-1].outcome,
        "start_ns": attempts[0].start_ns,
        "end_ns": attempts[-1].end_ns,
        "attempts": attempts,
    }
    return Step(**(values | more))  # type: ignore[arg-type]  # names and types are the record's own


def flow_of(number: int, spans: Sequence[Span], *, failed: bool, name: str) -> Flow:
    reserve, charge = spans[1], spans[2]
    steps = [step_of("reserve", [attempt_of(reserve)], role="compensatable", role_grade=1)]
    if failed:
        tries = [attempt_of(charge, "503", effect=None), attempt_of(spans[3], "503", effect=None)]
        steps.append(step_of("charge", tries, role="pivot", role_grade=1))
        undo = {"role": "compensation", "role_grade": 2, "compensates": "step:reserve"}
        steps.append(step_of(HOSTILE, [attempt_of(spans[4])], kind="compensation", **undo))
    else:
        steps.append(step_of("charge", [attempt_of(charge)], role="pivot", role_grade=1))
    flow = Flow(
        flow_id=f"trace:{trace_id_of(number)}",
        name=name,
        version="1.4.0",
        outcome=FlowOutcome.COMPENSATION_FAILED if failed else FlowOutcome.SUCCEEDED,
        start_ns=spans[0].start_ns,
        end_ns=spans[0].end_ns,
        trace_ids=(trace_id_of(number),),
        span_count=len(spans),
        decision_ids=(f"decision-{number}",),
        architecture="central",
        replayability="R2",
        complete=not failed,
        service="checkout",
        services=sorted({span.service for span in spans}),
        steps=steps,
        critical_path=(CriticalSegment(span_id=charge.span_id, self_ns=250 * MS),),
        evidence_gaps=("the payment service's own spans",) if failed else (),
        input={"order": number, "who": HOSTILE},
    )
    return replace(flow, variant=shape(flow))


def saga_of(flow: Flow, charge: Span, *, failed: bool) -> SagaVerdict:
    evidence = Evidence(kind="span", trace_id=charge.trace_id, span_id=charge.span_id)
    checks = [CheckResult(check="S1", verdict=Verdict.PASS, message="steps are in order")]
    effects = []
    if failed:
        checks.append(
            CheckResult(
                check="S3",
                verdict=Verdict.VIOLATION,
                message=f"a charge was not undone {HOSTILE}",
                evidence=(evidence,),
            )
        )
        effects.append(
            ResidualEffect(
                step="charge",
                callee="payment",
                resource="card",
                amount=Decimal("42.00"),
                currency="EUR",
                external_ref="ch_1",
                idempotency_key="key",
                evidence=evidence,
            )
        )
    return SagaVerdict(
        flow_id=flow.flow_id,
        saga_id=flow.flow_id,
        name="payment",
        verdict=Verdict.VIOLATION if failed else Verdict.PASS,
        checks=checks,
        residual_effects=effects,
    )


def finding_of(flow: Flow, charge: Span) -> Finding:
    return Finding(
        finding_id=f"finding:{flow.flow_id}",
        detector="retry_storm",
        scope="flow",
        severity="warning",
        verdict=Verdict.SUSPECTED,
        flow_id=flow.flow_id,
        message=f"two tries without backoff {HOSTILE}",
        remedy="wait longer between tries",
        evidence=(Evidence(kind="span", trace_id=charge.trace_id, span_id=charge.span_id),),
    )


def decision_of(number: int, *, sure: bool) -> Decision:
    return Decision(
        decision_id=f"decision-{number}",
        time_ns=START_NS + number * 20_000 * MS + 5 * MS,
        chosen=HOSTILE if number == 3 else "approve",
        trace_id=trace_id_of(number),
        span_id=span_id_of(number, 0),
        confidence="0.91" if sure else "0.41",
        threshold="0.80",
        record={"why": HOSTILE},
    )


def batch_of(traces: Iterable[Sequence[Span]]) -> Batch:
    return Batch(
        source="hand.json",
        content_sha256="0" * 64,
        reader="test/1",
        rules_sha256="0" * 64,
        spans=[span for spans in traces for span in spans],
    )


def fill(path: Path) -> None:
    """24 flows, every sixth failed; flow 3 carries hostile text wherever text is recorded."""
    failed = {number: number % 6 == 3 for number in range(FLOW_COUNT)}
    names = {number: HOSTILE if number == 3 else "card payment" for number in range(FLOW_COUNT)}
    spans = {n: spans_of(n, failed=failed[n], name=names[n]) for n in range(FLOW_COUNT)}
    flows = {n: flow_of(n, spans[n], failed=failed[n], name=names[n]) for n in range(FLOW_COUNT)}
    batch = replace(
        batch_of(spans.values()),
        logs=[LOG],
        decisions=[decision_of(n, sure=n % 5 != 0) for n in range(FLOW_COUNT)],
        rejected=[Rejected(record="7", reason=f"no trace id {HOSTILE}", excerpt="{}")],
    )
    store = Store(path)
    sagas = [saga_of(flows[n], spans[n][2], failed=failed[n]) for n in flows]
    undone = [undone_of(flow, saga) for flow, saga in zip(flows.values(), sagas, strict=True)]
    with store.lease("filling a test store", create=True) as session:
        write_batch(session, batch)
        replace_flows(
            session,
            generation=counts(session).generation,
            flows=list(flows.values()),
            members={
                flows[n].flow_id: [(span.trace_id, span.span_id) for span in rows]
                for n, rows in spans.items()
            },
            sagas=sagas,
            findings=[finding_of(flows[n], spans[n][2]) for n in flows if failed[n]],
            code_digest="test",
            undoings={
                saga.flow_id: (written(one.kind), one.times_ns)
                for saga, one in zip(sagas, undone, strict=True)
            },
        )
        write_replays(session, [replay_of(flow.flow_id) for flow in flows.values()])
        write_incident(session, incident_of([flows[n].flow_id for n in flows if failed[n]]))


def replay_of(flow_id: str) -> ReplayResult:
    return ReplayResult(
        flow_id=flow_id,
        mode="trace",
        verdict="diverged" if flow_id.endswith("4") else "identical",
        digest="1" * 64,
        outcome="succeeded",
        virtual_duration_ns=900 * MS,
        virtual_low_ns=900 * MS,
        virtual_high_ns=900 * MS,
        program_digest="2" * 64,
        program_flows=23,
        leave_one_out=True,
        flags=(),
        divergences=(),
        answers={"exact": 2},
    )


def incident_of(flow_ids: Sequence[str]) -> Incident:
    return Incident(
        incident_id="incident-1",
        start_ns=START_NS + 60_000 * MS,
        end_ns=START_NS + 300_000 * MS,
        declared_by="burn rate",
        title=f"Payment brownout {HOSTILE}",
        detected_ns=START_NS + 90_000 * MS,
        flow_ids=flow_ids,
    )


@pytest.fixture(scope="session", autouse=True)
def no_search_for_components() -> Iterator[None]:
    """Each AppTest reads the metadata of all installed packages, an eighth of a second, to find
    components; ours are made where they are imported."""
    scanner = "streamlit.components.v2.manifest_scanner.scan_component_manifests"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, lambda max_workers=None: [])
        yield


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "retrospan.duckdb"
    fill(path)
    return path


@pytest.fixture
def served_store(filled_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Served from its folder, where commands find it by its name; tests share it, so pages keep
    nothing in it."""
    monkeypatch.setenv(STORE_VARIABLE, str(filled_store))
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    monkeypatch.chdir(filled_store.parent)
    return filled_store
