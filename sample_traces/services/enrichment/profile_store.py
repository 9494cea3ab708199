"""The store of profiles: every new key is a new record. It honours idempotency keys."""

from __future__ import annotations

import hashlib
import time

from sample_traces.services.faults import index_of
from sample_traces.services.once import Once
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route


def build(host: Host) -> dict[str, Route]:
    """The routes of the store."""
    once = Once()

    def insert(request: Request) -> Answer:
        company_id, key = str(request.body["company_id"]), request.key or ""
        nth = host.book.arrive("POST /records", company_id, key)

        def work(_: object) -> Answer:
            fate = host.plan.fate("profile-store", "POST /records", index_of(company_id), nth)
            time.sleep(fate.latency_s)
            if fate.error_status is not None:
                return Answer(status=fate.error_status, body={"error": "shard_moving"})
            record_id = f"rec_{hashlib.sha256(key.encode()).hexdigest()[:12]}"
            host.book.write(
                "records", flow_id=company_id, record_id=record_id, key=key, profile=request.body
            )
            return Answer(
                status=201,
                body={"record_id": record_id},
                effect={
                    "retrospan.saga.external_ref": record_id,
                    "retrospan.saga.resource": f"{company_id}/profile",
                },
            )

        return once.run(key, work)

    return {"/records": insert}
