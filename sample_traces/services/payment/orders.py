"""The orders customers place, made from the plan's seed."""

from __future__ import annotations

from sample_traces.services.faults import Plan
from sample_traces.services.web import Json

COUNTRIES = ("DE", "FR", "NL", "ES", "IT", "AT")
ARTICLES = 40
CUSTOMERS = 180


def order(plan: Plan, index: int) -> Json:
    """The order of this index, always the same for one plan."""

    def pick(what: str, count: int) -> int:
        return int(plan.draw(what, index) * count)

    item_count = (1, 1, 2, 2, 3)[pick("items", 5)]
    first = pick("sku", ARTICLES)
    items = [
        {"sku": f"sku-{(first + 7 * n) % ARTICLES:02d}", "quantity": 1 + pick(f"quantity{n}", 3)}
        for n in range(item_count)
    ]
    if plan.draw("invalid", index) < plan.shares["invalid"]:
        items[0]["quantity"] = 99
    customer = pick("customer", CUSTOMERS)
    cents = 900 + int(plan.draw("amount", index) ** 3 * 120_000)
    return {
        "order_id": plan.flow_id(index),
        "customer_id": f"customer-{customer:04d}",
        "customer_age_days": 3 + int(plan.draw("age", customer) ** 2 * 2_000),
        "loyalty": plan.draw("loyalty", customer) < 0.35,
        "country": COUNTRIES[pick("country", len(COUNTRIES))],
        "items": items,
        "amount": f"{cents // 100}.{cents % 100:02d}",
        "currency": "EUR",
        "payment_method": f"pm-{customer:04d}-{pick('card', 2)}",
    }
