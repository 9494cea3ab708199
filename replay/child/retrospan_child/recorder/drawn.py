"""Records what the team's own code draws inside a flow: random numbers and ids.

Only calls from the team's own files are recorded, for libraries draw all the time. What is secret
by its purpose, `secrets` and `os.urandom`, is never recorded.
"""

from __future__ import annotations

import random
import sys
import uuid
from typing import Any, Callable

from ..world import own
from . import telling
from .flows import inside, numbering
from .recording import Recorder

RANDOM = ("random", "uniform", "randint", "randrange", "gauss", "expovariate", "getrandbits")
_own: dict[str, bool] = {}


def install(recorder: Recorder) -> None:
    """Put recording functions in the place of those of `random` and `uuid`; once a process."""
    for name in RANDOM:
        function = getattr(random, name)
        if not hasattr(function, "_retrospan"):
            setattr(random, name, _recorded(recorder, "random", f"random.{name}", function))
    if not hasattr(uuid.uuid4, "_retrospan"):
        ids: Any = uuid
        ids.uuid4 = _recorded(recorder, "uuid", "uuid.uuid4", uuid.uuid4)


def _recorded(
    recorder: Recorder, kind: str, name: str, function: Callable[..., Any]
) -> Callable[..., Any]:
    def drawing(*args: Any, **named: Any) -> Any:
        value = function(*args, **named)
        number = numbering.get()
        if number is not None and not inside.get():
            try:
                if _of_the_team(sys._getframe(1).f_code.co_filename):
                    told = value if kind == "random" else str(value)
                    telling.drawn(kind, name, told, number())
            except Exception as error:
                recorder.failed("draw", error)
        return value

    drawing._retrospan = function  # type: ignore[attr-defined]
    drawing.__name__ = drawing.__qualname__ = name.rpartition(".")[2]
    return drawing


def _of_the_team(path: str) -> bool:
    known = _own.get(path)
    if known is None:
        known = _own[path] = own(path)
    return known
