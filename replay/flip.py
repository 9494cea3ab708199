"""The smallest change of one setting after which a flow ends otherwise, by search."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from replay.change import threshold_gap
from replay.engine import Folds, replay_recording
from replay.infer.grow import roundest
from replay.recording import Recording
from replay.scenario import AlteredAnswer, Change, Scenario
from replay.settings import ReplaySettings
from replay.whatif import ends_of
from store.conclusions import ReplayResult
from store.errors import DataError, UsageError

TRIES_MAX = 200
ATTEMPTS_MAX = 12
TIMEOUT_MS_MAX = 600_000
# Thresholds are searched in steps of a ten-thousandth.
STEP = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """What was found. `value` is None when no value tried made the flow end otherwise.

    `current` is the setting in force, `tried` how many values were replayed, `unclear` of how many
    it is not known how the flow ends: they made no claim, or lent answers decide. Between `value`
    and `near`, the nearest value that did not do it, nothing was left untried but steps smaller
    than `step`.
    """

    change: str
    operation: str
    current: float
    value: float | None
    near: float | None
    step: float
    before: str
    after: str
    claim: str | None
    reason: str
    tried: int
    unclear: int


class _Search:
    def __init__(
        self,
        recording: Recording,
        kind: Folds,
        settings: ReplaySettings,
        scenario_of: Callable[[int], Scenario],
    ) -> None:
        self.recording = recording
        self.kind = kind
        self.settings = settings
        self.scenario_of = scenario_of
        self.known: dict[int, ReplayResult] = {}

    def at(self, value: int) -> ReplayResult:
        if value not in self.known:
            self.known[value] = replay_recording(
                self.recording, self.kind, scenario=self.scenario_of(value), settings=self.settings
            )
        return self.known[value]

    def flips(self, value: int) -> bool:
        if len(self.known) >= TRIES_MAX:
            return False
        result = self.at(value)
        return result.claim is not None and self.recording.outcome not in ends_of(result)

    def unclear(self) -> list[int]:
        """Give the values tried of which it is not known how the flow ends."""
        return [
            value
            for value, result in self.known.items()
            if result.claim is None or len(ends_of(result)) > 1
        ]

    def nearest(self, current: int, least: int, most: int) -> int | None:
        """Double the change in both directions until the outcome turns, then halve the gap."""
        found = []
        for direction in (1, -1):
            near = current
            for value in _away(current, direction, least, most):
                if self.flips(value):
                    found.append(self.halved(near, value))
                    break
                near = value
        return min(found, key=lambda value: (abs(value - current), value), default=None)

    def halved(self, near: int, far: int) -> int:
        while abs(far - near) > 1 and len(self.known) < TRIES_MAX:
            middle = (near + far) // 2
            if self.flips(middle):
                far = middle
            else:
                near = middle
        return far


def _away(current: int, direction: int, least: int, most: int) -> Iterator[int]:
    step = 1
    while True:
        value = current + direction * step
        if not least <= value <= most:
            edge = most if direction > 0 else least
            if edge != current:
                yield edge
            return
        yield value
        step *= 2


def smallest_flip(
    recording: Recording, kind: Folds, operation: str, change: str, settings: ReplaySettings
) -> Flip:
    """Search for the smallest change of `timeout`, `attempts`, `threshold` or `latency`.

    The search doubles and halves: it finds the smallest change where the outcome turns once and
    stays so, and says how many values it tried.
    """
    if change not in CHANGES:
        raise UsageError(f"flip knows the changes {', '.join(CHANGES)}, not {change!r}")
    steps = [step for step in recording.steps if step.op == operation]
    if not steps:
        known = ", ".join(sorted({step.op for step in recording.steps}))
        raise DataError(
            f"flow {recording.flow_id} never calls {operation!r}; its operations are: {known}"
        )
    refusal = recording.unusable or kind.refusal_for(recording.flow_id)
    if refusal:
        raise DataError(f"flow {recording.flow_id} cannot be replayed: {refusal}")
    current, least, most, unit = CHANGES[change](recording, kind, operation)

    def scenario_of(value: int) -> Scenario:
        return _scenario(change, operation, value, unit)

    search = _Search(recording, kind, settings, scenario_of)
    control = replay_recording(recording, kind, settings=settings)
    if control.verdict not in ("identical", "equivalent"):
        raise DataError(f"the control replay of flow {recording.flow_id} diverged: no what-if")
    found = search.nearest(current, least, most)
    tried = search.known
    chosen = None if found is None else tried[found]
    near = None
    if found is not None:
        between = [v for v in tried if (v - found) * (current - found) > 0 and not search.flips(v)]
        near = min([*between, current], key=lambda value: (abs(value - found), value))
    return Flip(
        change=change,
        operation=operation,
        current=current / unit,
        value=None if found is None else found / unit,
        near=None if near is None else near / unit,
        step=1 / unit,
        before=recording.outcome,
        after=recording.outcome if chosen is None else chosen.outcome,
        claim=None if chosen is None else chosen.claim,
        reason=_why_not(search, current, unit) if chosen is None else chosen.reason,
        tried=len(tried),
        unclear=len(search.unclear()),
    )


def _why_not(search: _Search, current: int, unit: int) -> str:
    """Say which value comes nearest to turning the outcome: one that may, else one in doubt."""
    unclear = search.unclear()
    if not unclear:
        return "no value tried makes the flow end otherwise"
    known = search.known
    near = min(unclear, key=lambda v: (known[v].claim is None, abs(v - current), v))
    may = "not known is" if known[near].claim is None else "it may at"
    return f"no value tried surely makes the flow end otherwise; {may} {near / unit:g}: " + (
        known[near].reason
    )


def _scenario(change: str, operation: str, value: int, unit: int) -> Scenario:
    name = f"{change} of {operation}: {value / unit:g}"
    if change == "latency":
        answer = AlteredAnswer(operation=operation, nth=None, latency_ms=value)
        return Scenario(name=name, answers=(answer,))
    if change == "timeout":
        made = Change(operation=operation, timeout_ms=value)
    elif change == "attempts":
        made = Change(operation=operation, max_attempts=value)
    else:
        made = Change(operation=operation, threshold=value / unit)
    return Scenario(name=name, changes=(made,))


_Range = tuple[int, int, int, int]


def _timeout(recording: Recording, kind: Folds, operation: str) -> _Range:
    attempts = [a for step in recording.steps if step.op == operation for a in step.attempts]
    stated = [a.timeout_ms for a in attempts if a.timeout_ms is not None]
    longest = max(attempt.latency_ns for attempt in attempts) // 1_000_000 + 1
    return (stated[0] if stated else longest), 1, TIMEOUT_MS_MAX, 1


def _attempts(recording: Recording, kind: Folds, operation: str) -> _Range:
    steps = [step for step in recording.steps if step.op == operation]
    stated = [step.max_attempts for step in steps if step.max_attempts is not None]
    current = stated[0] if stated else max(len(step.attempts) for step in steps)
    return current, 1, max(ATTEMPTS_MAX, current), 1


def _threshold(recording: Recording, kind: Folds, operation: str) -> _Range:
    program = kind.machine_for(recording.flow_id)[0].program
    low, high = threshold_gap(program, operation)
    current = round(roundest(low, high) * STEP)
    reach = max(abs(current), STEP)
    return current, current - reach, current + reach, STEP


def _latency(recording: Recording, kind: Folds, operation: str) -> _Range:
    attempts = [a for step in recording.steps if step.op == operation for a in step.attempts]
    longest = max(attempt.latency_ns for attempt in attempts) // 1_000_000
    return longest, 0, TIMEOUT_MS_MAX, 1


CHANGES: dict[str, Callable[[Recording, Folds, str], _Range]] = {
    "timeout": _timeout,
    "attempts": _attempts,
    "threshold": _threshold,
    "latency": _latency,
}
