"""The general ledger: one posting per completed payment."""

from __future__ import annotations

import hashlib
import time

from sample_traces.services.faults import index_of
from sample_traces.services.once import Once
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route


def build(host: Host) -> dict[str, Route]:
    """The routes of the ledger process."""
    once = Once()

    def post(request: Request) -> Answer:
        key, order_id = request.key or "", str(request.body["order_id"])
        nth = host.book.arrive("POST /postings", order_id, key)
        return once.run(key, lambda _: _post(host, request, nth))

    return {"/postings": post}


def _post(host: Host, request: Request, nth: int) -> Answer:
    body = request.body
    order_id = str(body["order_id"])
    fate = host.plan.fate("ledger", "POST /postings", index_of(order_id), nth)
    time.sleep(fate.latency_s)
    if fate.error_status is not None:
        host.telemetry.log(
            "ERROR", "posting refused: the period is locked", {}, context=request.context
        )
        return Answer(status=fate.error_status, body={"error": "period_locked"})
    digest = hashlib.sha256(order_id.encode()).hexdigest()[:12]
    host.book.write(
        "postings",
        order_id=order_id,
        posting_id=f"post_{digest}",
        charge_id=body["charge_id"],
        amount=body["amount"],
    )
    return Answer(
        status=201,
        body={"status": "posted", "posting_id": f"post_{digest}"},
        effect={
            "retrospan.saga.external_ref": f"post_{digest}",
            "retrospan.saga.resource": f"{order_id}/posting",
            "retrospan.saga.amount": str(body["amount"]),
            "retrospan.saga.currency": str(body["currency"]),
        },
    )
