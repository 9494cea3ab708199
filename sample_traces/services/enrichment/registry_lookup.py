"""Asks the register about a company and hands on what it understood."""

from __future__ import annotations

import re

from sample_traces.services.calls import Caller, Operation
from sample_traces.services.enrichment.messages import Delivery, RetryError, consume, send
from sample_traces.services.process import Host
from sample_traces.services.web import Json, Route

LOOKUP = Operation(callee="register-provider", path="/lookups", timeout_ms=500, max_attempts=2)
READS_BOTH_SHAPES = frozenset({"2.1.0"})
WORKERS = 3


def understood(version: str, answer: Json) -> Json:
    """The fields of the register's answer as a release of this service reads them."""
    text, employees = answer["description"], answer["employees"]
    code = answer.get("industry_code")
    if version in READS_BOTH_SHAPES:
        code = code or answer["activity"]["code"]
        text = ". ".join(text) if isinstance(text, list) else text
        size = employees if isinstance(employees, str) else None
        exact = None if size else employees
        return {"industry_code": code, "employees": exact, "size": size, "description": text}
    number = re.match(r"\d+", str(employees))
    return {
        "industry_code": code,
        "employees": int(number.group()) if number else None,
        "size": None,
        "description": text,
    }


def build(host: Host) -> dict[str, Route]:
    """The service has no routes; it works on `company.submitted`."""
    caller = Caller(host, {})

    def handle(delivery: Delivery) -> None:
        request = {"company_id": delivery.flow_id}
        result = caller.call(delivery.flow, LOOKUP, delivery.flow_id, request)
        if not result.ok:
            raise RetryError(f"the register answered {result.error}")
        fields = understood(host.identity.version, result.body)
        host.book.write("lookups", flow_id=delivery.flow_id, nth=delivery.nth, fields=fields)
        body = {"company_id": delivery.flow_id, **fields}
        send(host, "company.looked-up", delivery.flow_id, body, delivery.context)

    consume(host, ["company.submitted"], handle, WORKERS)
    return {}
