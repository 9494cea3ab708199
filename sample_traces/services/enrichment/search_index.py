"""Makes a profile findable: the last part of a flow that goes well."""

from __future__ import annotations

import time

from opentelemetry.trace import SpanKind

from sample_traces.services.enrichment.messages import Delivery, consume
from sample_traces.services.faults import index_of
from sample_traces.services.process import Host
from sample_traces.services.web import Route, dumps

WORKERS = 2
TIMEOUT_MS = 1000


def build(host: Host) -> dict[str, Route]:
    """The service has no routes; it works on `company.enriched`."""

    def handle(delivery: Delivery) -> None:
        flow_id = delivery.flow_id
        fate = host.plan.fate("search-index", "index", index_of(flow_id), delivery.nth)
        document = {"company_id": flow_id, "record_id": delivery.body["record_id"]}
        with host.telemetry.tracer.start_as_current_span(
            "index companies",
            context=delivery.context,
            kind=SpanKind.CLIENT,
            attributes={
                "db.system.name": "opensearch",
                "db.operation.name": "index",
                "db.collection.name": "companies",
                "server.address": "search-engine",
                "retrospan.step.key": flow_id,
                "retrospan.step.request": dumps(document),
                "retrospan.call.timeout_ms": TIMEOUT_MS,
                "retrospan.call.max_attempts": 1,
            },
        ) as span:
            time.sleep(fate.latency_s)
            span.set_attribute("retrospan.step.response", dumps({"result": "indexed"}))
        host.book.write("indexed", flow_id=flow_id, record_id=delivery.body["record_id"])
        output = {"company_id": flow_id, "status": "completed"}
        delivery.span.set_attribute("retrospan.flow.output", dumps(output))

    consume(host, ["company.enriched"], handle, WORKERS)
    return {}
