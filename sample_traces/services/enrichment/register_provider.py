"""A company register run by somebody else; one day it answers in another shape."""

from __future__ import annotations

import time

from sample_traces.services.enrichment.companies import size_class, truth
from sample_traces.services.faults import index_of
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Json, Request, Route

LIST_SHARE = 0.12
"""Of the answers in the new shape, those with a list of paragraphs for a text."""


def build(host: Host) -> dict[str, Route]:
    """The routes of the register."""

    def lookup(request: Request) -> Answer:
        company_id = str(request.body["company_id"])
        index = index_of(company_id)
        nth = host.book.arrive("POST /lookups", company_id, request.key)
        fate = host.plan.fate("register-provider", "POST /lookups", index, nth)
        time.sleep(fate.latency_s)
        if fate.error_status is not None:
            return Answer(status=fate.error_status, body={"error": "try_again"})
        answer = _answer(host, index)
        host.book.write("answers", flow_id=company_id, api_version=answer["api_version"])
        return Answer(status=200, body=answer)

    return {"/lookups": lookup}


def _answer(host: Host, index: int) -> Json:
    known, drift = truth(host.plan, index), host.plan.drift
    if drift is None or not drift[0] <= index <= drift[1]:
        return {"api_version": "2025-04", **known}
    text: str | list[str] = known["description"]
    if host.plan.draw("paragraphs", index) < LIST_SHARE:
        text = known["description"].split(". ")
    return {
        "api_version": "2026-11",
        "activity": {"code": known["industry_code"]},
        "employees": size_class(known["employees"]),
        "description": text,
    }
