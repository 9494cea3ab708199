"""What a flow drew from its surroundings: random numbers, and the releases of services it met."""

from collections.abc import Sequence
from math import isfinite

from store.model import JsonValue

# In the input: the release of a service that took part, and not what the flow was asked.
RELEASE = "$release."


def numbers_drawn(draws: Sequence[JsonValue]) -> dict[str, tuple[float, ...]]:
    """Give the random numbers drawn within each span, in the order they were drawn."""
    found: dict[str, tuple[float, ...]] = {}
    for draw in draws:
        if not isinstance(draw, dict) or draw.get("kind") != "random":
            continue
        span, value = draw.get("span_id"), draw.get("value")
        if isinstance(span, str) and isinstance(value, int | float) and isfinite(value):
            found[span] = (*found.get(span, ()), float(value))
    return found


def releases(draws: Sequence[JsonValue]) -> dict[str, str]:
    """Give the releases of the services by service; what a flow is given as its input is."""
    found: dict[str, list[str]] = {}
    for draw in draws:
        if isinstance(draw, dict) and is_release(draw):
            found.setdefault(f"{RELEASE}{draw.get('service')}", []).append(str(draw.get("value")))
    return {path: ", ".join(versions) for path, versions in found.items()}


def is_release(draw: JsonValue) -> bool:
    """Tell a release from a draw of chance."""
    return isinstance(draw, dict) and draw.get("kind") == "release"
