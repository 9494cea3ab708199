"""What-ifs that a form can say, as scenario files: pure.

In: the kind of change, its operation and value, all as typed. Out: the YAML text that the command
line reads, so that what a page shows can be run again from a file.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from store.errors import UsageError

OPERATION_LENGTH_MAX = 300
VALUE_LENGTH_MAX = 200
SCHEMA = "retrospan.scenario/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A change a form offers. `unit` stands beside the value; `of_all` can be simulated for all
    calls at once; `needs` says whether an operation has to be named."""

    label: str
    unit: str
    make: Callable[[str, str], Mapping[str, Any]]
    example: str
    of_all: bool = False
    needs: bool = True


def _setting(name: str) -> Callable[[str, str], Mapping[str, Any]]:
    return lambda op, value: {"changes": [{"operation": op, name: _whole(value)}]}


def _backoff(op: str, value: str) -> Mapping[str, Any]:
    return {"changes": [{"operation": op, "backoff": {"initial_ms": _whole(value)}}]}


def _breaker(op: str, value: str) -> Mapping[str, Any]:
    failures, slash, open_ms = value.partition("/")
    if not slash:
        raise UsageError(f"a breaker is written FAILURES/MS, such as 5/2000, not {value!r}")
    breaker = {"failures": _whole(failures), "open_ms": _whole(open_ms)}
    return {"changes": [{"operation": op, "breaker": breaker}]}


def _threshold(op: str, value: str) -> Mapping[str, Any]:
    return {"changes": [{"operation": op, "threshold": _number(value)}]}


def _status(op: str, value: str) -> Mapping[str, Any]:
    return {"answers": [{"operation": op, "nth": "every", "status": value}]}


def _first_status(op: str, value: str) -> Mapping[str, Any]:
    return {"answers": [{"operation": op, "nth": 1, "status": value}]}


def _latency(op: str, value: str) -> Mapping[str, Any]:
    return {"answers": [{"operation": op, "nth": "every", "latency_percent": _whole(value)}]}


def _lost(op: str, value: str) -> Mapping[str, Any]:
    return {"lost": [{"services": [op.partition(" ")[0]], "status": value}]}


def _version(op: str, value: str) -> Mapping[str, Any]:
    del op
    return {"version": value}


FORMS: Mapping[str, Form] = {
    "timeout": Form(
        label="Another timeout",
        unit="ms",
        make=_setting("timeout_ms"),
        example="1500",
        of_all=True,
    ),
    "attempts": Form(
        label="Another number of tries",
        unit="tries at most",
        make=_setting("max_attempts"),
        example="1",
        of_all=True,
    ),
    "backoff": Form(
        label="Another wait before a retry", unit="ms", make=_backoff, example="200", of_all=True
    ),
    "threshold": Form(
        label="Another threshold of a decision", unit="", make=_threshold, example="0.9"
    ),
    "first_answer": Form(
        label="The first answer ends otherwise", unit="status", make=_first_status, example="503"
    ),
    "answer": Form(label="Every answer ends otherwise", unit="status", make=_status, example="ok"),
    "latency": Form(
        label="Every answer slower or faster",
        unit="% of the recorded time",
        make=_latency,
        example="200",
    ),
    "lost": Form(
        label="The service is gone", unit="status callers see", make=_lost, example="timeout"
    ),
    "version": Form(
        label="Another version of the flow",
        unit="version",
        make=_version,
        example="2.4.1",
        needs=False,
    ),
    "capacity": Form(
        label="Another capacity of the callee",
        unit="calls at a time",
        make=_setting("capacity"),
        example="4",
        of_all=True,
    ),
    "breaker": Form(
        label="A circuit breaker",
        unit="failures / ms open",
        make=_breaker,
        example="5/2000",
        of_all=True,
    ),
}
ONLY_OF_ALL = frozenset({"capacity", "breaker"})  # one flow alone says nothing about these


def scenario_text(change: str, operation: str, value: str) -> str:
    """The what-if as a scenario file; what cannot be said is a `UsageError`."""
    form = FORMS.get(change)
    if form is None:
        raise UsageError(f"change {change!r}: there are {', '.join(FORMS)}")
    operation, value = operation.strip(), value.strip()
    if form.needs and not operation:
        raise UsageError("choose the operation that is changed")
    if not value:
        raise UsageError(f"give a value ({form.unit or 'a number'}), such as {form.example}")
    if len(operation) > OPERATION_LENGTH_MAX or len(value) > VALUE_LENGTH_MAX:
        raise UsageError("the operation or its value is too long")
    name = f"{form.label.lower()}: {value} {form.unit}".strip()
    name += f" at {operation}" if form.needs else ""
    document = {"schema": SCHEMA, "name": name[:200], **form.make(operation, value)}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def file_name(text: str) -> str:
    """A name for the file of a scenario: letters, digits and dashes of what it is called."""
    stated = str(yaml.safe_load(text).get("name", ""))
    words = "".join(one if one.isascii() and one.isalnum() else " " for one in stated).split()
    return "-".join(words)[:60].lower() or "what-if"


def _whole(value: str) -> int:
    text = value.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise UsageError(f"{value!r} is not a whole number")
    return int(text)


def _number(value: str) -> float:
    try:
        number = json.loads(value)
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise UsageError(f"{value!r} is not a number")
    return number
