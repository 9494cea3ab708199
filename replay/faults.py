"""Answers that a scenario declares for every call of an operation, recorded or not."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from replay.attempts import DECLARED
from replay.infer.view import base_name
from replay.match import Answer
from replay.recording import RecordedAttempt, Recording
from replay.scenario import AlteredAnswer, Change
from replay.timeouts import MILLISECOND_NS, timed_out
from store.errors import DataError

PERCENT = 100


def named(pattern: str, operations: Sequence[str]) -> list[str]:
    """Give the operations a scenario means; `gateway-eu *` means every call to that service."""
    return [op for op in operations if op == pattern or fnmatchcase(op, pattern)]


class Faults:
    """Overrules answers, recorded and lent ones alike.

    A client that gives up after a time does so here too: an answer made slower than the timeout in
    force (the scenario's, else the recorded one) is a timeout at that time.
    """

    def __init__(self, declared: Sequence[AlteredAnswer], changes: Sequence[Change]) -> None:
        self.every = [answer for answer in declared if answer.nth is None]
        self.limits = limits_of(changes)
        self.in_force: dict[str, int] = {}

    def overrule(self, op: str, attempt: RecordedAttempt | None, answer: Answer) -> Answer:
        """Give the answer as declared; unchanged where nothing was."""
        if attempt is not None and attempt.breaker_state == "open":
            return answer  # this call never left the caller
        name = base_name(op)
        if attempt is not None and attempt.timeout_ms is not None:
            self.in_force[name] = attempt.timeout_ms * MILLISECOND_NS
        for change in self.every:
            if fnmatchcase(name, change.operation):
                answer = self._changed(name, change, answer, recorded=attempt is not None)
        return answer

    def _changed(self, op: str, change: AlteredAnswer, answer: Answer, *, recorded: bool) -> Answer:
        usual, low, high = answer.latency, answer.low, answer.high
        if change.latency_ms is not None:
            usual = low = high = change.latency_ms * MILLISECOND_NS
        if change.latency_percent is not None:
            usual, low, high = (
                value * change.latency_percent // PERCENT for value in (usual, low, high)
            )
        response = dict(answer.response)
        if change.status is not None and change.status != answer.status:
            response = {}
        response.update(change.fields)
        # Status and latency said, nothing is borrowed any more.
        whole = change.status is not None and change.latency_ms is not None and not recorded
        changed = Answer(
            answer.status if change.status is None else change.status,
            response, usual, low, high, answer.rung, answer.breaker,
            answer.effect, DECLARED if whole else answer.note,
        )  # fmt: skip
        limit = self.limits.get(op, self.in_force.get(op))
        return timed_out(changed, limit, changed.note) if limit and usual > limit else changed


def limits_of(changes: Sequence[Change]) -> Mapping[str, int]:
    """Give the timeouts that a scenario sets, in nanoseconds by operation."""
    return {
        change.operation: change.timeout_ms * MILLISECOND_NS
        for change in changes
        if change.timeout_ms is not None
    }


def single_answers(
    declared: Sequence[AlteredAnswer], recording: Recording
) -> Iterator[tuple[str, AlteredAnswer]]:
    """Give the answers that are altered one by one, with the operation each names here."""
    operations = sorted({step.op for step in recording.steps})
    for answer in declared:
        if answer.nth is None:
            continue
        meant = named(answer.operation, operations)
        if not meant:
            raise DataError(
                f"flow {recording.flow_id} never calls {answer.operation!r}; "
                f"it calls: {', '.join(operations)}"
            )
        yield from ((op, answer) for op in meant)


def limited(
    recording: Recording, op: str, nth: int, latency_ns: int, changes: Sequence[Change]
) -> int | None:
    """Give the timeout an altered latency runs into, in nanoseconds; None when into none."""
    attempts = sorted(
        (
            (attempt.start_ns, attempt.timeout_ms)
            for step in recording.steps
            if step.op == op
            for attempt in step.attempts
        ),
        key=lambda item: item[0],
    )
    recorded = attempts[nth - 1][1] if nth <= len(attempts) else None
    limit = limits_of(changes).get(op, None if recorded is None else recorded * MILLISECOND_NS)
    return limit if limit is not None and latency_ns > limit else None
