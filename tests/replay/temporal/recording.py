"""Records workflows on a real Temporal dev server on loopback: their histories, their spans.

In a folder: `history_NAME.json` and `spans.otlp.pb` of payments, `features/history_NAME.json` of
one small workflow for each other thing a workflow can do.
"""

import asyncio
import importlib
import json
import logging
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

WORKFLOWS = Path(__file__).parent / "workflows"
QUEUE = "payments"
# By name: the order, what a human answers, whether it is cancelled.
SCENARIOS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "ok": ({"amount": 120}, "", False),
    "small": ({"amount": 3}, "", False),
    "retried": ({"amount": 120, "flaky": 2}, "", False),
    "stock_away": ({"amount": 120, "flaky": 9}, "", False),
    "declined": ({"amount": 120, "fail_at": "charge"}, "", False),
    "ship_failed": ({"amount": 120, "fail_at": "ship"}, "", False),
    "refund_failed": ({"amount": 120, "fail_at": "refund"}, "", False),
    "approved": ({"amount": 900}, "approve", False),
    "refused": ({"amount": 900}, "refuse", False),
    "nobody": ({"amount": 900, "patience": 1}, "", False),
    "review_declined": ({"amount": 900, "fail_at": "charge"}, "approve", False),
    "cancelled": ({"amount": 900}, "", True),
}


def server() -> str | None:
    """The server's program: beside this interpreter, or on the path."""
    beside = Path(sys.executable).with_name("temporal")
    return str(beside) if beside.exists() else shutil.which("temporal")


async def record(program: str, folder: Path) -> None:
    """Write all that is recorded into a folder."""
    sys.path.insert(0, str(WORKFLOWS))
    payments: Any = importlib.import_module("payment_saga")
    (folder / "features").mkdir()

    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": QUEUE}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing = TracingInterceptor(provider.get_tracer("recording"))
    async with await WorkflowEnvironment.start_local(
        ip="127.0.0.1",
        dev_server_existing_path=program,
        dev_server_log_level="error",
        dev_server_extra_args=["--headless"],
    ) as environment:
        client = environment.client
        config = client.config()
        config["interceptors"] = [tracing]
        client = type(client)(**config)
        async with Worker(
            client,
            task_queue=QUEUE,
            workflows=[payments.PaymentSaga, payments.Receipt],
            activities=payments.ACTIVITIES,
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):

            async def one(name: str) -> None:
                fields, answer, cancelled = SCENARIOS[name]
                handle = await client.start_workflow(
                    payments.PaymentSaga.run,
                    payments.Order(order_id=name, **fields),
                    id=f"payment-{name}",
                    task_queue=QUEUE,
                )
                await _go(handle, answer, cancelled)
                history = await handle.fetch_history()
                told = history.to_json_dict()
                (folder / f"history_{name}.json").write_text(json.dumps(told))

            plain = environment.client
            await asyncio.gather(*map(one, SCENARIOS), features(plain, folder / "features"))
    data = encode_spans(kept.get_finished_spans()).SerializeToString()
    (folder / "spans.otlp.pb").write_bytes(data)


async def features(client: Client, folder: Path) -> None:
    """Run each of the small workflows once; what some of them hear is said here."""
    module: Any = importlib.import_module("features")
    async with Worker(
        client,
        task_queue="features",
        workflows=module.WORKFLOWS,
        activities=module.ACTIVITIES,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):

        async def begin(name: str, *args: Any, **more: Any) -> WorkflowHandle[Any, Any]:
            kind = getattr(module, name.partition("-")[0].capitalize())
            return await client.start_workflow(
                kind.run, args=args, id=name, task_queue="features", **more
            )

        begun = {
            name: await begin(name, *args)
            for name, args in (
                ("updated", ()), ("local", ()), ("patched", ()), ("cancelling", ()),
                ("continued", (1,)), ("worker-other", ("listen",)), ("parent", ("worker-other",)),
            )
        }  # fmt: skip
        begun["listening"] = await begin("listening", start_signal="hear", start_signal_args=["1"])
        updated = begun["updated"]
        await updated.execute_update("keep", "one")
        with suppress(Exception):
            await updated.execute_update("keep", "bad")
        await asyncio.gather(*(updated.execute_update("keep", it) for it in ("two", "three")))
        await updated.signal("end")
        for text in ("2", "3"):
            await begun["listening"].signal("hear", text)
        for name, handle in begun.items():
            await handle.result()
            run = client.get_workflow_handle(name, run_id=handle.first_execution_run_id)
            history = await run.fetch_history()
            (folder / f"history_{name}.json").write_text(history.to_json())


async def _go(handle: WorkflowHandle[Any, Any], answer: str, cancelled: bool) -> None:
    while (answer or cancelled) and not await _waits(handle):
        await asyncio.sleep(0.05)
    if answer:
        await handle.signal("decide", answer)
    if cancelled:
        await handle.cancel()
    with suppress(WorkflowFailureError):
        await handle.result()


async def _waits(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether the workflow waits for a human by now."""
    events = (await handle.fetch_history()).events
    return any(event.HasField("timer_started_event_attributes") for event in events)


if __name__ == "__main__":
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    asyncio.run(record(str(server()), Path(sys.argv[1])))
    # All is written and the server has ended. Threads of temporalio's core outlive the interpreter
    # and sometimes crash it while it is taken down (seen: signal 11 without a Python frame).
    sys.stdout.flush()
    os._exit(0)
