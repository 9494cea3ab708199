"""Who leads a flow: one service, each its own part, or something between."""

from collections.abc import Sequence

from store.conclusions import Step

CENTRAL_MIN_PERCENT = 80
CHOREOGRAPHED_MAX_PERCENT = 40


def architecture_of(service: str, steps: Sequence[Step]) -> str:
    """central, choreographed, hybrid, or unknown when no call between services was recorded."""
    remote = [step for step in steps if step.callee and step.callee != step.service]
    if not remote or not service:
        return "unknown"
    led = sum(step.service == service for step in remote) * 100
    messages = sum(step.kind == "message" for step in remote) * 100
    if led >= CENTRAL_MIN_PERCENT * len(remote) and messages < 50 * len(remote):
        return "central"
    if led <= CHOREOGRAPHED_MAX_PERCENT * len(remote) or messages >= 50 * len(remote):
        return "choreographed"
    return "hybrid"
