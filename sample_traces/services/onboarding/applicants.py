"""The applicants, made from the plan's seed."""

from __future__ import annotations

from sample_traces.services.faults import Plan
from sample_traces.services.web import Json

COUNTRIES = ("DE", "FR", "NL", "ES", "IT", "PL", "SE")
CHANNELS = ("web", "web", "mobile", "mobile", "branch")
FEES = ("0.00", "9.90", "9.90", "19.90", "49.00")


def applicant(plan: Plan, index: int) -> Json:
    """The applicant of this index, always the same for one plan."""

    def pick(what: str, count: int) -> int:
        return int(plan.draw(what, index) * count)

    return {
        "applicant_id": plan.flow_id(index),
        "country": COUNTRIES[pick("country", len(COUNTRIES))],
        "channel": CHANNELS[pick("channel", len(CHANNELS))],
        "age": 16 if plan.draw("minor", index) < plan.shares["invalid"] else 18 + pick("age", 60),
        "document_quality": round(0.4 + 0.6 * plan.draw("document", index) ** 0.5, 3),
        "device_age_days": int(plan.draw("device", index) ** 2 * 900),
        "accounts_on_device": (0, 0, 0, 0, 1, 1, 2, 5)[pick("shared device", 8)],
        "setup_fee": FEES[pick("fee", len(FEES))],
        "currency": "EUR",
    }
