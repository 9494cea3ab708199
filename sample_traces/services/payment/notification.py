"""Messages to customers."""

from __future__ import annotations

import hashlib
import time

from sample_traces.services.faults import index_of
from sample_traces.services.once import Once
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route


def build(host: Host) -> dict[str, Route]:
    """The routes of the notification process."""
    once = Once()

    def send(request: Request) -> Answer:
        order_id = str(request.body["order_id"])
        nth = host.book.arrive("POST /messages", order_id, request.key)
        return once.run(request.key or "", lambda _: _send(host, request, nth))

    return {"/messages": send}


def _send(host: Host, request: Request, nth: int) -> Answer:
    order_id = str(request.body["order_id"])
    fate = host.plan.fate("notification", "POST /messages", index_of(order_id), nth)
    time.sleep(fate.latency_s)
    if fate.error_status is not None:
        return Answer(status=fate.error_status, body={"error": "mail_relay_busy"})
    message_id = f"msg_{hashlib.sha256(order_id.encode()).hexdigest()[:12]}"
    host.book.write("messages", order_id=order_id, message_id=message_id)
    return Answer(status=202, body={"status": "queued", "message_id": message_id})
