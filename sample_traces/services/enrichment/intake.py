"""Takes submissions and starts the chain of messages."""

from __future__ import annotations

from sample_traces.services.enrichment.messages import send
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route, dumps


def build(host: Host) -> dict[str, Route]:
    """The routes of the intake process."""

    def submit(request: Request) -> Answer:
        flow_id = str(request.body["company_id"])
        request.span.update_name("enrichment")
        request.span.set_attributes(
            {
                "retrospan.flow.name": "enrichment",
                "retrospan.flow.id": flow_id,
                "retrospan.flow.version": host.identity.version,
                "retrospan.flow.input": dumps(request.body),
            }
        )
        host.book.write("flows", flow_id=flow_id)
        send(host, "company.submitted", flow_id, request.body, request.context)
        return Answer(status=202, body={"company_id": flow_id})

    return {"/enrichments": submit}
