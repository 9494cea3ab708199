"""How often calls that succeeded were made, beside the recording: charges, compensations."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from replay.leaves import Leaves
from replay.noise import last_name
from replay.temporal.answering import Given
from replay.temporal.recording import Recording, request_of

SUCCEEDED = "succeeded: "
_KEY = "idempotency_key"


def effects_told(recording: Recording, given: Sequence[Given], *, whole: bool) -> list[str]:
    """Each operation that succeeded another number of times than recorded.

    Calls with one idempotency key are counted once, which assumes that the callee honours keys.
    `whole` is False where the run ended early: then the numbers are those up to there.
    """
    before = _counted(
        (recording.operation(call.command), request_of(call.command))
        for call in recording.calls
        if call.how == "completed"
    )
    after = _counted(
        (one.operation, request_of(one.command))
        for one in given
        if one.settled is not None and one.settled.ok and not one.settled.open
    )
    told = []
    for operation in sorted({*before, *after}):
        was, now = before.get(operation, (0, 0, 0)), after.get(operation, (0, 0, 0))
        if was[:2] != now[:2]:
            keys = " by idempotency key, if they are honoured" if was[2] or now[2] else ""
            until = "" if whole else " up to where the run ends"
            told.append(f"{SUCCEEDED}{operation} {was[1]} recorded, {now[1]} now{keys}{until}")
    return told


def _counted(calls: Iterable[tuple[str, Leaves]]) -> dict[str, tuple[int, int, int]]:
    """By operation: the calls, the effects when a key counts once, the keys."""
    calls_of: defaultdict[str, int] = defaultdict(int)
    keys_of: defaultdict[str, set[str]] = defaultdict(set)
    bare: defaultdict[str, int] = defaultdict(int)
    for operation, request in calls:
        calls_of[operation] += 1
        keys = [str(value) for path, value in request.items() if last_name(path) == _KEY]
        if keys:
            keys_of[operation].add(keys[0])
        else:
            bare[operation] += 1
    return {
        operation: (count, bare[operation] + len(keys_of[operation]), len(keys_of[operation]))
        for operation, count in calls_of.items()
    }
