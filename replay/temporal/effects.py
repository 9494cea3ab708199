"""How often calls that succeeded were made, beside the recording: charges, compensations."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

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
        was, now = before.get(operation, _NONE), after.get(operation, _NONE)
        if was.number != now.number:
            keys = " by idempotency key, if they are honoured" if was.keyed or now.keyed else ""
            until = "" if whole else " up to where the run ends"
            told.append(
                f"{SUCCEEDED}{operation} {was.number} recorded, {now.number} now{keys}{until}"
            )
    return told


class _Effects(NamedTuple):
    number: int
    keyed: bool


_NONE = _Effects(0, False)


def _counted(calls: Iterable[tuple[str, Leaves]]) -> dict[str, _Effects]:
    """The effects by operation, where a key counts once."""
    keys_of: defaultdict[str, set[str]] = defaultdict(set)
    bare: defaultdict[str, int] = defaultdict(int)
    for operation, request in calls:
        keys = [str(value) for path, value in request.items() if last_name(path) == _KEY]
        keys_of[operation].update(keys[:1])
        bare[operation] += not keys
    return {
        operation: _Effects(bare[operation] + len(keys), bool(keys))
        for operation, keys in keys_of.items()
    }
