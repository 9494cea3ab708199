"""Takes the messages nobody could work on, and says that their flows have failed."""

from __future__ import annotations

from sample_traces.services.enrichment.broker import DEAD
from sample_traces.services.enrichment.messages import Delivery, consume
from sample_traces.services.process import Host
from sample_traces.services.web import Route, dumps

TOPICS = ("company.submitted", "company.looked-up", "company.to-curate", "company.extracted")


def build(host: Host) -> dict[str, Route]:
    """The service has no routes; it works on the dead letters of all topics."""

    def handle(delivery: Delivery) -> None:
        host.telemetry.log(
            "ERROR",
            f"dead letter of {delivery.died_in}",
            {"messaging.destination.name": delivery.topic, "messaging.message.id": delivery.id},
            context=delivery.context,
        )
        host.book.write("dead", flow_id=delivery.flow_id, topic=str(delivery.died_in))
        output = {"company_id": delivery.flow_id, "status": "failed", "reason": "dead_letter"}
        delivery.span.set_attribute("retrospan.flow.output", dumps(output))

    consume(host, [topic + DEAD for topic in TOPICS], handle, 1)
    return {}
