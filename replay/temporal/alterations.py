"""What a scenario declares otherwise: answers, and the settings of calls.

An answer stands for the whole activity, with the retries that the server makes by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from replay.scenario import AlteredAnswer, Change, Scenario
from replay.temporal.commands import Command
from replay.temporal.donors import Donors
from replay.temporal.recording import Call
from replay.temporal.settled import TIMEOUT, Settled, attempts_max
from store.errors import DataError
from store.model import JsonValue

MILLISECOND_NS = 1_000_000
PERCENT = 100


@dataclass(slots=True)
class Alterations:
    """A scenario at work in one run; `used` are the alterations that met a call, `lent` says that a
    donor was asked for. Without a scenario nothing is altered, and nothing lent."""

    scenario: Scenario | None = None
    donors: Donors = field(default_factory=Donors)
    good: bool | None = None
    used: set[int] = field(default_factory=set)
    lent: bool = False

    def in_force(self, operation: str, command: Command) -> Command:
        """The command with the settings that the scenario gives it."""
        for change in () if self.scenario is None else self.scenario.changes:
            if not fnmatchcase(operation, change.operation) or command.kind != "activity":
                continue
            self.used.add(id(change))
            fields = dict(command.fields)
            if change.timeout_ms is not None:
                fields["start_to_close_timeout_ns"] = change.timeout_ms * MILLISECOND_NS
            if change.max_attempts is not None:
                retry = fields.get("retry")
                fields["retry"] = {
                    **(retry if isinstance(retry, dict) else {}),
                    "maximum_attempts": change.max_attempts,
                }
            command = replace(command, fields=fields)
        return command

    def declared(
        self, operation: str, nth: int, command: Command, call: Call | None, found: Settled | None
    ) -> Settled | None:
        """The answer that the scenario gives in the place of the found one; None: it stays."""
        if self.scenario is None:
            return None
        changed = found
        for answer in self.scenario.answers:
            if answer.nth in (None, nth) and fnmatchcase(operation, answer.operation):
                self.used.add(id(answer))
                changed = _altered(answer, operation, command, call, changed)
        if changed is None:
            changed = self._lend(operation, command)
        return None if changed is found else changed

    def _lend(self, operation: str, command: Command) -> Settled | None:
        donor = self.donors.find(operation, command, self.good)
        self.lent |= donor is not None
        return donor

    def unused(self) -> Iterator[str]:
        """Operations that the scenario names and no call met."""
        if self.scenario is not None:
            named: Sequence[AlteredAnswer | Change] = (
                *self.scenario.answers, *self.scenario.changes
            )  # fmt: skip
            yield from sorted({one.operation for one in named if id(one) not in self.used})


def refuse(scenario: Scenario) -> None:
    """Raise DataError, naming what a scenario asks and a workflow's replay cannot do."""
    if scenario.version is not None:
        raise DataError("a scenario's version is for inferred programs: replay the code of it")
    for change in scenario.changes:
        if change.threshold is not None:
            raise DataError("a threshold stands in your workflow's code: change it there")
        for name in ("backoff_initial_ms", "capacity", "breaker_failures"):
            if getattr(change, name) is not None:
                told = name.removesuffix("_initial_ms").removesuffix("_failures")
                raise DataError(f"a change of {told} is not applied to Temporal's histories")


def _altered(
    answer: AlteredAnswer,
    operation: str,
    command: Command,
    call: Call | None,
    found: Settled | None,
) -> Settled | None:
    if found is None and (answer.status is None or answer.latency_ms is None):
        return None  # a part of an answer that nobody knows
    if command.kind not in ("activity", "local_activity", "child_workflow"):
        raise DataError(f"{operation}: only answers of activities and child workflows are altered")
    base = Settled(event=0, task=0, latency_ns=0, ok=True) if found is None else found
    status = answer.status
    if status == "ok" or (status is None and base.ok):
        made = _successful(answer, base, operation)
    elif status is None:
        made = base
    else:
        made = replace(base, event=0, ok=False, value=None, error=status)
    ran_ns = 0 if call is None else call.ran_ns
    slower = _ran_ns(answer, ran_ns)
    if found is not None and slower == ran_ns and made is found:
        return found
    made = replace(made, task=made.task if slower == ran_ns else 0, open=False, held=False,
                   latency_ns=max(made.latency_ns - ran_ns, 0) + slower)  # fmt: skip
    return _limited(made, command, slower)


def _successful(answer: AlteredAnswer, base: Settled, operation: str) -> Settled:
    if base.ok and not answer.fields:
        return base
    value: JsonValue = base.value if base.ok else None
    if not base.ok and not answer.fields:
        raise DataError(f"{operation}: an answer that is to succeed needs its fields")
    if isinstance(value, Mapping) and "opaque" in value:
        raise DataError(f"{operation}: its answer cannot be read, so no field of it is changed")
    return replace(base, event=0, ok=True, error="", value=with_fields(value, answer.fields))


def _ran_ns(answer: AlteredAnswer, ran_ns: int) -> int:
    if answer.latency_ms is not None:
        return answer.latency_ms * MILLISECOND_NS
    if answer.latency_percent is not None:
        return ran_ns * answer.latency_percent // PERCENT
    return ran_ns


def _limited(made: Settled, command: Command, ran_ns: int) -> Settled | None:
    """What is slower than its timeout times out; None where the server tries without end."""
    limit = int(command.fields.get("start_to_close_timeout_ns", 0))
    if not limit or ran_ns <= limit:
        return made
    attempts = attempts_max(command)
    if not attempts:
        return None
    return replace(made, event=0, ok=False, value=None, error=TIMEOUT,
                   latency_ns=made.latency_ns - ran_ns + limit * attempts,
                   note=f"each of {attempts} attempts would time out")  # fmt: skip


def with_fields(value: JsonValue, fields: Mapping[str, JsonValue]) -> JsonValue:
    """A value with the leaves at some paths changed; `$` is the value itself."""
    for path, new in sorted(fields.items()):
        value = new if path == "$" else _put(value, _parts(path), new)
    return value


def _parts(path: str) -> list[str | int]:
    found: list[str | int] = []
    for part in path.split("."):
        name, *indexes = part.split("[")
        found += [name] if name else []
        found += [int(index.rstrip("]")) for index in indexes]
    return found


def _put(value: JsonValue, parts: Sequence[str | int], new: JsonValue) -> JsonValue:
    if not parts:
        return new
    first, rest = parts[0], parts[1:]
    if isinstance(first, int):
        items = list(value) if isinstance(value, list) else []
        items += [None] * (first + 1 - len(items))
        items[first] = _put(items[first], rest, new)
        return items
    mapping = dict(value) if isinstance(value, dict) else {}
    mapping[first] = _put(mapping.get(first), rest, new)
    return mapping
