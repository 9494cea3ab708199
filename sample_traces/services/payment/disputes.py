"""What the issuer's dispute feed says later of completed payments."""

from __future__ import annotations

from datetime import datetime

from sample_traces.services.decisions import chain, timestamp
from sample_traces.services.faults import index_of
from sample_traces.services.payment.fraud_scorer import risk
from sample_traces.services.system import Recording
from sample_traces.services.web import Json


def decision_lines(recording: Recording, now: datetime) -> list[str]:
    """The decision log, with the outcome of each completed payment."""
    plan = recording.plan
    flows = recording.page("orchestrator", "flows")
    settled = {flow["order_id"]: flow["output"]["status"] for flow in flows}

    def dispute(record: Json) -> Json | None:
        if settled.get(record["flow_id"]) != "completed":
            return None
        probability = risk(plan, record["input"])
        fraud = plan.draw("dispute", index_of(record["flow_id"])) < 0.8 * probability
        return {
            "label": "fraud" if fraud else "legitimate",
            "value": int(fraud),
            "time": timestamp(now),
        }

    records = [entry["record"] for entry in recording.page("orchestrator", "decisions")]
    return chain(records, dispute)
