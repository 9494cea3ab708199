"""What-if files: declared changes, checked before anything runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.leaves import Scalar
from store.errors import DataError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

SCHEMA = "retrospan.scenario/1"
SIZE_BYTES_MAX = 1_000_000
ERRORS_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A changed setting of one operation; None means unchanged.

    `threshold_from` is the threshold to move, needed where the operation compares several.
    `capacity` (calls served at a time) and the breaker act on all flows at once.
    """

    operation: str
    timeout_ms: int | None = None
    max_attempts: int | None = None
    backoff_initial_ms: int | None = None
    backoff_coefficient: float | None = None
    threshold: float | None = None
    threshold_from: float | None = None
    capacity: int | None = None
    breaker_failures: int | None = None
    breaker_open_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlteredAnswer:
    """The nth answer of an operation, changed; every answer when `nth` is None.

    In `operation`, `*` is any text. `latency_percent` scales what was recorded.
    """

    operation: str
    nth: int | None = 1
    status: str | None = None
    latency_ms: int | None = None
    latency_percent: int | None = None
    fields: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Changes to apply to a replay.

    `population` says that every flow gets the change, so that load feeds back. `version` names the
    version of the flow's kind whose program runs instead of its own.
    """

    name: str
    changes: tuple[Change, ...] = ()
    answers: tuple[AlteredAnswer, ...] = ()
    version: str | None = None
    population: bool = False

    @property
    def acts_on_all(self) -> bool:
        """Say whether it changes what all flows share: of one flow alone it says nothing."""
        return any(
            change.capacity is not None or change.breaker_failures is not None
            for change in self.changes
        )

    @property
    def feeds_back(self) -> bool:
        """Say whether it changes how often or how long others are called: then all flows at once
        may fare otherwise than each alone."""
        return any(
            replace(change, threshold=None, threshold_from=None)
            != Change(operation=change.operation)
            for change in self.changes
        )


@cache
def _validator() -> "Draft202012Validator":
    from jsonschema import Draft202012Validator  # a third of what a replay without one imports

    text = files("replay").joinpath("schemas/scenario.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file."""
    try:
        if path.stat().st_size > SIZE_BYTES_MAX:
            raise DataError(f"{path}: a scenario file has at most {SIZE_BYTES_MAX} bytes")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the scenario cannot be read: {error}") from None
    return parse_scenario(text, str(path))


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Check a scenario text against its schema; all errors come in one message."""
    import yaml

    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"{source}: this is not YAML: {error}") from None
    stated = document.get("schema") if isinstance(document, dict) else None
    if stated != SCHEMA:
        raise DataError(f"{source}: schema is {stated!r}; this version reads {SCHEMA!r} only")
    problems = sorted(_validator().iter_errors(document), key=lambda e: list(map(str, e.path)))
    if problems:
        shown = [_told(problem) for problem in problems[:ERRORS_SHOWN_MAX]]
        raise DataError(f"{source}: the scenario does not fit its schema: {'; '.join(shown)}")
    return Scenario(
        name=document["name"],
        changes=tuple(_change(item) for item in document.get("changes", ())),
        answers=(
            *(_answer(item) for item in document.get("answers", ())),
            *(answer for item in document.get("lost", ()) for answer in _lost(item)),
        ),
        version=document.get("version"),
        population=document.get("population", False),
    )


def _told(problem: "ValidationError") -> str:
    """Say where a scenario does not fit, and what there is instead of a name that is not."""
    where = ".".join(str(part) for part in problem.path) or "document"
    text = f"{where}: {problem.message}"
    if problem.validator != "additionalProperties" or not isinstance(problem.schema, Mapping):
        return text
    return f"{text}; there are {', '.join(sorted(problem.schema['properties']))}"


def _change(item: Mapping[str, Any]) -> Change:
    backoff = item.get("backoff", {})
    breaker = item.get("breaker", {})
    return Change(
        operation=item["operation"],
        timeout_ms=item.get("timeout_ms"),
        max_attempts=item.get("max_attempts"),
        backoff_initial_ms=backoff.get("initial_ms"),
        backoff_coefficient=backoff.get("coefficient"),
        threshold=item.get("threshold"),
        threshold_from=item.get("threshold_from"),
        capacity=item.get("capacity"),
        breaker_failures=breaker.get("failures"),
        breaker_open_ms=breaker.get("open_ms"),
    )


def _lost(item: Mapping[str, Any]) -> list[AlteredAnswer]:
    """A region or service that is gone: every call to its services ends the same way."""
    return [
        AlteredAnswer(
            operation=f"{service} *",
            nth=None,
            status=item["status"],
            latency_ms=item.get("latency_ms", 0),
        )
        for service in item["services"]
    ]


def _answer(item: Mapping[str, Any]) -> AlteredAnswer:
    nth = item.get("nth", 1)
    return AlteredAnswer(
        operation=item["operation"],
        nth=None if nth == "every" else nth,
        status=item.get("status"),
        latency_ms=item.get("latency_ms"),
        latency_percent=item.get("latency_percent"),
        fields=item.get("fields", {}),
    )
