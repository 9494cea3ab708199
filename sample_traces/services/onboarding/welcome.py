"""Letters to new customers."""

from __future__ import annotations

import hashlib
import time

from sample_traces.services.faults import index_of
from sample_traces.services.once import Once
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route


def build(host: Host) -> dict[str, Route]:
    """The routes of the letter service."""
    once = Once()

    def send(request: Request) -> Answer:
        applicant_id = str(request.body["applicant_id"])
        nth = host.book.arrive("POST /letters", applicant_id, request.key)
        return once.run(request.key or "", lambda _: _send(host, applicant_id, nth))

    return {"/letters": send}


def _send(host: Host, applicant_id: str, nth: int) -> Answer:
    fate = host.plan.fate("welcome", "POST /letters", index_of(applicant_id), nth)
    time.sleep(fate.latency_s)
    if fate.error_status is not None:
        return Answer(status=fate.error_status, body={"error": "printer_busy"})
    letter_id = f"let_{hashlib.sha256(applicant_id.encode()).hexdigest()[:12]}"
    host.book.write("letters", flow_id=applicant_id, letter_id=letter_id)
    return Answer(status=202, body={"status": "queued", "letter_id": letter_id})
