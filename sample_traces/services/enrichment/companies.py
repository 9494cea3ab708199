"""The companies, made from the plan's seed, and what is true of them."""

from __future__ import annotations

from sample_traces.services.faults import Plan
from sample_traces.services.web import Json

SECTORS = {
    "software": ("cloud", "platform", "code", "apps"),
    "logistics": ("freight", "warehouse", "parcel", "fleet"),
    "food": ("bakery", "catering", "harvest", "dairy"),
    "energy": ("solar", "grid", "turbine", "heat"),
    "health": ("clinic", "diagnosis", "care", "pharmacy"),
}
CODES = {
    "software": "62.01",
    "logistics": "52.29",
    "food": "10.71",
    "energy": "35.11",
    "health": "86.21",
}
TEXTS = 36
"""So many different descriptions there are; many companies share one."""
SIZES = ((1, 9), (10, 49), (50, 249), (250, 999))


def description(plan: Plan, index: int) -> str:
    """The text about a company: some are clear, some could be of two sectors."""
    text = int(plan.draw("text", index) * TEXTS)
    names = sorted(SECTORS)
    first = names[int(plan.draw("sector", text) * len(names))]
    second = names[int(plan.draw("second sector", text) * len(names))]
    ambiguous = plan.draw("ambiguous", text) < 0.3
    words = [*SECTORS[first][:3], *(SECTORS[second][:2] if ambiguous else SECTORS[first][3:])]
    return f"Company profile {text:02d}. Offers {', '.join(words)} services to businesses."


def truth(plan: Plan, index: int) -> Json:
    """What the register knows of a company."""
    names = sorted(SECTORS)
    sector = names[int(plan.draw("registered sector", index) * len(names))]
    low, high = SIZES[int(plan.draw("size", index) * len(SIZES))]
    return {
        "industry_code": CODES[sector],
        "employees": low + int(plan.draw("employees", index) * (high - low + 1)),
        "description": description(plan, index),
    }


def size_class(employees: int) -> str:
    """The range a number of employees is in."""
    low, high = next((low, high) for low, high in SIZES if employees <= high)
    return f"{low}-{high}"


def submission(plan: Plan, index: int) -> Json:
    """What somebody submits to have a company enriched."""
    return {"company_id": plan.flow_id(index), "requested_by": f"desk-{index % 7}"}
