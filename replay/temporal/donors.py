"""Answers that other histories of the same workflow lend, where a scenario runs.

A donor shows what an operation has answered to somebody else: good for telling how a flow might
end, never more than an estimate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzer.statistics.proportions import wilson
from replay.likeness import likeness
from replay.temporal.commands import Command
from replay.temporal.recording import Call, Recording, request_of
from replay.temporal.settled import Settled

DONORS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Donors:
    """Calls of other histories that were answered, by operation."""

    calls: Mapping[str, Sequence[Call]] = field(default_factory=dict)

    def find(self, operation: str, command: Command, good: bool | None = None) -> Settled | None:
        """The donor whose request is most alike, of those that ended as most did.

        `good` asks for one that succeeded, or for one that did not, where there is any.
        """
        calls = self.calls.get(operation, ())
        if not calls:
            return None
        well = [call for call in calls if call.how == "completed"]
        wanted = 2 * len(well) >= len(calls) if good is None else good
        kept = well if wanted else [call for call in calls if call.how != "completed"]
        asked = request_of(command)
        chosen = max(
            enumerate(kept or calls),
            key=lambda item: (likeness(request_of(item[1].command), asked), -item[0]),
        )[1]
        interval = wilson(len(well), len(calls))
        low, high = (0.0, 1.0) if interval is None else (interval.low, interval.high)
        failure = chosen.raw.get("failure") or [{}]
        return Settled(
            event=0, task=0, latency_ns=chosen.latency_ns, ok=chosen.how == "completed",
            value=chosen.value, lent=True,
            error="" if chosen.how == "completed" else str(failure[-1].get("type") or chosen.how),
            note=f"lent by another history; {len(well)} of {len(calls)} succeeded "
            f"({100 * low:.1f} to {100 * high:.1f} %)",
        )  # fmt: skip


def donors_of(recordings: Sequence[Recording]) -> Donors:
    """What these recordings can lend, in their order."""
    calls: dict[str, list[Call]] = {}
    for recording in recordings:
        for call in recording.calls:
            kept = calls.setdefault(recording.operation(call.command), [])
            if call.how in ("completed", "failed", "timed_out") and len(kept) < DONORS_MAX:
                kept.append(replace(call, event=0))
    return Donors(calls)
