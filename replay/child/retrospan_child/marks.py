"""Decorators that a team puts on its own functions: what is a flow, and what is answered whole.

In production they record, where OpenTelemetry is there; in a replay a flow just runs, and an
activity is answered with the result it was recorded with. Nothing they do can fail the function.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import json
import sys
from contextlib import contextmanager
from typing import Any, Callable, Iterator

from .asking import ask, note
from .recorder import Recorder, flows, telling
from .world import WORLD

ACTIVITY, FLOW = "retrospan.activity", "retrospan.flow"
_DEFAULT = Recorder()

Function = Callable[..., Any]


class NotRecordedError(LookupError):
    """A replay asks for the result of an activity that the recording does not hold."""


def flow(name: str, *, recorder: Recorder = _DEFAULT) -> Callable[[Function], Function]:
    """Record a call of the function, which takes one JSON value, as a flow of this name."""

    def decorate(function: Function) -> Function:
        def telling_flow(args: Any, named: Any) -> Any:
            given = args[0] if len(args) == 1 and not named else _bound(function, args, named)
            return _Telling(recorder, name, {f"{FLOW}.name": name}, f"{FLOW}.input", given)

        return _wrapped(function, telling_flow, None, f"{FLOW}.output")

    return decorate


def activity(
    name: str, *, kind: str = "call", recorder: Recorder = _DEFAULT
) -> Callable[[Function], Function]:
    """Record what the function returns or raises; a replay gives that, and does not run it.

    `kind` is call, decision or gate. Arguments and result must be JSON values; where a result is
    none, the function runs in the replay as well.
    """

    def decorate(function: Function) -> Function:
        def telling_activity(args: Any, named: Any) -> Any:
            attributes = {ACTIVITY: name, "retrospan.step.kind": kind}
            given = _bound(function, args, named)
            return _Telling(recorder, name, attributes, "retrospan.step.request", given)

        return _wrapped(function, telling_activity, name, "retrospan.step.response")

    return decorate


def _wrapped(function: Function, telling_it: Any, answered: str | None, output: str) -> Function:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run(*args: Any, **named: Any) -> Any:
            if WORLD.active:
                if answered is None:
                    return await function(*args, **named)
                asked = _asked(answered, _bound(function, args, named))
                if asked.get("run"):
                    return await function(*args, **named)
                await _waited(asked)
                return _result(asked, function)
            with telling_it(args, named).told() as done:
                result = await function(*args, **named)
                done(output, result)
            return result

        return run

    @functools.wraps(function)
    def run_now(*args: Any, **named: Any) -> Any:
        if WORLD.active:
            if answered is None:
                return function(*args, **named)
            asked = _asked(answered, _bound(function, args, named))
            if asked.get("run"):
                return function(*args, **named)
            WORLD.park(WORLD.now_ns + asked["gap_ns"] + asked["after_ns"], f"activity {answered}")
            note(asked["id"], "error" if asked.get("error") else "answer")
            return _result(asked, function)
        with telling_it(args, named).told() as done:
            result = function(*args, **named)
            done(output, result)
        return result

    return run_now


class _Telling:
    """Tells of one call of a flow or an activity."""

    def __init__(
        self, recorder: Recorder, name: str, attributes: Any, said: str, given: Any
    ) -> None:
        self.recorder, self.name = recorder, name
        self.attributes, self.said, self.given = attributes, said, given
        self.span: Any = None

    @contextmanager
    def told(self) -> Iterator[Callable[[str, Any], None]]:
        """Around the call; gives what tells of its result."""
        with telling.span(self.name, self.attributes) as self.span:
            whole = ACTIVITY in self.attributes
            with flows.activity() if whole else self.recorder.flow(self.span):
                self._put(self.said, self.given)
                yield self._put

    def _put(self, name: str, value: Any) -> None:
        try:
            if self.span is not None and self.span.is_recording():
                text, cut = self.recorder.rules.document(value)
                if text is not None:
                    self.span.set_attribute(name, text)
                if cut:
                    self.span.set_attribute("retrospan.body.truncated", True)
        except Exception as error:
            self.recorder.failed(f"{self.name} {name}", error)


def _bound(function: Function, args: Any, named: Any) -> Any:
    """Arguments by their names, as JSON; what is none is named by its type."""
    try:
        bound = inspect.signature(function).bind(*args, **named).arguments
    except TypeError:
        bound = {"args": list(args), **named}
    return {name: _json(value) for name, value in bound.items() if name not in ("self", "cls")}


def _json(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError):
        return f"<{type(value).__name__}>"


def _asked(name: str, given: Any) -> dict[str, Any]:
    request = {
        "activity": name,
        "method": "RUN",
        "host": "activity",
        "target": name,
        "headers": {},
        "body": {"text": json.dumps(given)},
    }
    answer = ask(request, None)
    if answer.get("status") == 599:
        note(answer["id"], "answer")
        raise NotRecordedError(f"activity {name}: {answer['headers']['x-replay']}")
    return answer


async def _waited(answer: dict[str, Any]) -> None:
    import asyncio

    loop: Any = asyncio.get_running_loop()
    future = loop.create_future()
    moment = WORLD.now_ns + answer["gap_ns"] + answer["after_ns"]
    loop.call_at_ns(moment, lambda: future.done() or future.set_result(None))
    try:
        await future
    except BaseException:
        note(answer["id"], "closed")
        raise
    note(answer["id"], "error" if answer.get("error") else "answer")


def _result(answer: dict[str, Any], function: Function) -> Any:
    if not answer.get("error"):
        return json.loads(answer["body"]["text"])
    name, message = str(answer["error"]), str(answer.get("message", ""))
    module, _, last = name.rpartition(".")
    places = [function.__globals__, vars(builtins), vars(sys.modules.get(module, builtins))]
    for place in places:
        kind = place.get(last)
        if isinstance(kind, type) and issubclass(kind, Exception):
            try:
                raised = kind(message)
            except Exception:
                continue  # it wants more than a message
            raise raised
    raise RuntimeError(f"{name}: {message}")
