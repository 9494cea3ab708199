"""What became of applicants later: the fraud desk's findings, for most of the accepted ones."""

from __future__ import annotations

from datetime import datetime, timedelta

from sample_traces.services.decisions import chain, timestamp
from sample_traces.services.faults import index_of
from sample_traces.services.onboarding.risk_model import risk
from sample_traces.services.system import Recording
from sample_traces.services.web import Json

LABELLED_SHARE = 0.7


def decision_lines(recording: Recording, now: datetime) -> list[str]:
    """The decision log, with the outcome of the applicants somebody looked at again."""
    plan = recording.plan
    flows = recording.page("onboarding-orchestrator", "flows")
    status = {flow["flow_id"]: flow["output"]["status"] for flow in flows}

    def label(record: Json) -> Json | None:
        flow_id, index = record["flow_id"], index_of(record["flow_id"])
        if status.get(flow_id) != "completed" or plan.draw("labelled", index) >= LABELLED_SHARE:
            return None
        fraud = plan.draw("fraud", index) < 0.9 * risk(plan, record["input"])
        found = datetime.fromisoformat(record["time"]) + timedelta(
            seconds=4 + 40 * plan.draw("found after", index)
        )
        if found > now:
            return None
        return {
            "label": "fraud" if fraud else "legitimate",
            "value": int(fraud),
            "time": timestamp(found),
        }

    records = [entry["record"] for entry in recording.page("onboarding-orchestrator", "decisions")]
    return chain(records, label)
