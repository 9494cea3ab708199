"""The formal checks of an application."""

from __future__ import annotations

import time

from sample_traces.services.faults import index_of
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route

AGE_MIN = 18


def build(host: Host) -> dict[str, Route]:
    """The routes of the validation process."""

    def check(request: Request) -> Answer:
        applicant_id = str(request.body["applicant_id"])
        nth = host.book.arrive("POST /checks", applicant_id, request.key)
        fate = host.plan.fate("applicant-checks", "POST /checks", index_of(applicant_id), nth)
        time.sleep(fate.latency_s)
        if fate.error_status is not None:
            return Answer(status=fate.error_status, body={"error": "busy"})
        valid = request.body["age"] >= AGE_MIN
        reasons = [] if valid else [f"younger than {AGE_MIN}"]
        return Answer(status=200, body={"valid": valid, "reasons": reasons})

    return {"/checks": check}
