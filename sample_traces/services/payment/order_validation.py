"""The checks of an order, and the desk where people review doubtful ones."""

from __future__ import annotations

import time

from sample_traces.services.faults import index_of
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route

QUANTITY_MAX = 20
REVIEWERS = ("reviewer-ana", "reviewer-ben", "reviewer-cy")
REFUSAL_SHARE = {"approve": 0.2, "reject": 0.7}


def build(host: Host) -> dict[str, Route]:
    """The routes of the validation process."""

    def validate(request: Request) -> Answer:
        failure = _spend(host, "POST /validations", request)
        if failure is not None:
            return failure
        reasons = [
            f"quantity of {item['sku']} above {QUANTITY_MAX}"
            for item in request.body["items"]
            if item["quantity"] > QUANTITY_MAX
        ]
        host.book.write("validations", order_id=request.body["order_id"], valid=not reasons)
        return Answer(status=200, body={"valid": not reasons, "reasons": reasons})

    def review(request: Request) -> Answer:
        failure = _spend(host, "POST /reviews", request)
        if failure is not None:
            return failure
        order = index_of(request.body["order_id"])
        share = REFUSAL_SHARE[str(request.body["recommendation"])]
        refused = host.plan.draw("review", order) < share
        reviewer = REVIEWERS[order % len(REVIEWERS)]
        host.book.write("reviews", order_id=request.body["order_id"], approved=not refused)
        return Answer(status=200, body={"approved": not refused, "reviewer": reviewer})

    return {"/validations": validate, "/reviews": review}


def _spend(host: Host, operation: str, request: Request) -> Answer | None:
    order_id = str(request.body["order_id"])
    nth = host.book.arrive(operation, order_id, request.key)
    fate = host.plan.fate("order-validation", operation, index_of(order_id), nth)
    time.sleep(fate.latency_s)
    if fate.error_status is not None:
        return Answer(status=fate.error_status, body={"error": "busy"})
    return None
