"""Writes the enriched profile to the store."""

from __future__ import annotations

from sample_traces.services.calls import Caller, Operation, Saga
from sample_traces.services.enrichment.messages import (
    CrashError,
    Delivery,
    RetryError,
    consume,
    send,
)
from sample_traces.services.faults import index_of
from sample_traces.services.process import Host
from sample_traces.services.web import Route

WRITE = Operation(
    callee="profile-store",
    path="/records",
    timeout_ms=400,
    max_attempts=1,
    reference="record_id",
)
KEY_OF_THE_COMPANY = frozenset({"1.5.0"})
"""Releases whose idempotency key is the company's, whatever message it came with."""
WORKERS = 3


def build(host: Host) -> dict[str, Route]:
    """The service has no routes; it works on `company.extracted`."""
    caller, sound = Caller(host, {}), host.identity.version in KEY_OF_THE_COMPANY

    def handle(delivery: Delivery) -> None:
        flow_id = delivery.flow_id
        key = f"{flow_id}:profile" if sound else f"{delivery.id}:{delivery.nth}"
        result = caller.call(
            delivery.flow,
            WRITE,
            flow_id,
            delivery.body,
            key_rule=lambda _attempt, _timeouts: key,
            saga=Saga(step="write-profile", role="pivot", resource=f"{flow_id}/profile"),
        )
        if not result.ok:
            raise RetryError(f"the store answered {result.error}")
        record_id = str(result.body["record_id"])
        host.book.write("written", flow_id=flow_id, record_id=record_id, key=key)
        crashing = index_of(flow_id) in host.plan.crashes.get(host.identity.name, [])
        if crashing and delivery.nth == 1:
            raise CrashError("out of memory")
        body = {"company_id": flow_id, "record_id": record_id}
        send(host, "company.enriched", flow_id, body, delivery.context)

    consume(host, ["company.extracted"], handle, WORKERS)
    return {}
