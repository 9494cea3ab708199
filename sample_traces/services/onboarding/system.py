"""The onboarding system's services, and how a recording of it is made."""

from __future__ import annotations

from sample_traces.services.onboarding.applicants import applicant
from sample_traces.services.onboarding.expected import expected
from sample_traces.services.onboarding.labels import decision_lines
from sample_traces.services.system import Service, System

SYSTEM = System(
    name="onboarding",
    services={
        "onboarding-orchestrator": Service(module="orchestrator", version="3.1.0"),
        "applicant-checks": Service(module="applicant_checks", version="2.8.0"),
        "risk-model": Service(module="risk_model", version="6.2.1"),
        "review-desk": Service(module="review_desk", version="1.9.3"),
        "identity": Service(module="accounts", version="11.4.0"),
        "billing": Service(module="accounts", version="7.3.2"),
        "crm": Service(module="accounts", version="4.0.6", region="eu-west-1"),
        "welcome": Service(module="welcome", version="1.2.0"),
    },
    leader="onboarding-orchestrator",
    path="/onboardings",
    request=applicant,
    expected=expected,
    decisions=decision_lines,
    settle_s=6.0,
)
