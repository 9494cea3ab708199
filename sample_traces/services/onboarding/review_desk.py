"""The desk where people look at what the gate would not decide alone."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sample_traces.services.decisions import timestamp
from sample_traces.services.faults import index_of
from sample_traces.services.onboarding.risk_model import risk
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route

REVIEWERS = ("reviewer-dina", "reviewer-emil", "reviewer-fay", "reviewer-gus")


def build(host: Host) -> dict[str, Route]:
    """The routes of the review desk."""

    def review(request: Request) -> Answer:
        application = request.body["application"]
        applicant_id = str(application["applicant_id"])
        index = index_of(applicant_id)
        nth = host.book.arrive("POST /reviews", applicant_id, request.key)
        fate = host.plan.fate("review-desk", "POST /reviews", index, nth)
        time.sleep(fate.latency_s)
        if fate.error_status is not None:
            return Answer(status=fate.error_status, body={"error": "desk_closed"})
        # People see part of what the model does not.
        suspicion = 0.7 * risk(host.plan, application) + 0.3 * host.plan.draw("reviewer", index)
        approved = suspicion < 0.42
        host.book.write(
            "reviews",
            flow_id=applicant_id,
            approved=approved,
            recommendation=request.body["recommendation"],
        )
        return Answer(
            status=200,
            body={
                "approved": approved,
                "reviewer": REVIEWERS[index % len(REVIEWERS)],
                "time": timestamp(datetime.now(UTC)),
            },
        )

    return {"/reviews": review}
