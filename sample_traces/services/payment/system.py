"""The payment system's services, and how a recording of it is made."""

from __future__ import annotations

from sample_traces.services.payment.disputes import decision_lines
from sample_traces.services.payment.expected import expected
from sample_traces.services.payment.orders import order
from sample_traces.services.system import Service, System

SYSTEM = System(
    name="payment",
    services={
        "order-validation": Service(module="order_validation", version="1.14.2"),
        "fraud-scorer": Service(module="fraud_scorer", version="3.2.0"),
        "inventory": Service(module="inventory", version="5.0.7"),
        "gateway-eu": Service(module="gateway", version="8.1.0", region="eu-central-1"),
        "gateway-us": Service(module="gateway", version="8.1.0", region="us-east-1"),
        "ledger": Service(module="ledger", version="4.4.1"),
        "notification": Service(module="notification", version="2.0.3"),
        "orchestrator": Service(module="orchestrator", version="2.3.0"),
    },
    leader="orchestrator",
    path="/payments",
    request=order,
    expected=expected,
    decisions=decision_lines,
)
