"""People who say of which sector a company is when the model is not sure."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sample_traces.services.decisions import timestamp
from sample_traces.services.enrichment.language_model import chosen
from sample_traces.services.enrichment.messages import Delivery, consume, send
from sample_traces.services.faults import index_of
from sample_traces.services.process import Host
from sample_traces.services.web import Route

CURATORS = ("curator-ivo", "curator-jana")
WORKERS = 2


def build(host: Host) -> dict[str, Route]:
    """The service has no routes; it works on `company.to-curate`."""

    def handle(delivery: Delivery) -> None:
        index = index_of(delivery.flow_id)
        fate = host.plan.fate("curation", "process company.to-curate", index, delivery.nth)
        time.sleep(fate.latency_s)
        sector = chosen(str(delivery.body["description"]), 0.0, 0.0)
        host.book.write(
            "reviews",
            flow_id=delivery.flow_id,
            reviewer=CURATORS[index % len(CURATORS)],
            approved=sector == delivery.body["sector"],
            time=timestamp(datetime.now(UTC)),
            advised=delivery.body["sector"],
        )
        body = {**delivery.body, "sector": sector}
        send(host, "company.extracted", delivery.flow_id, body, delivery.context)

    consume(host, ["company.to-curate"], handle, WORKERS)
    return {}
