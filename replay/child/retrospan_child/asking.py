"""What the code asks the engine for, and whom it means by an address.

In: requests, whole, and what became of them. Out: recorded answers. Names resolve to made-up
addresses of 198.18.0.0/15, which RFC 2544 keeps for tests.
"""

from __future__ import annotations

import builtins
from typing import Any

from .world import WORLD, where

_addresses: dict[str, str] = {}
_names: dict[str, str] = {}


def ask(request: dict[str, Any], address: Any) -> dict[str, Any]:
    """The answer to a request; its `after_ns` is None when none will ever come."""
    WORLD.requests += 1
    if not request["host"]:
        request["host"] = label(address)
    at_ns, lines, handed = WORLD.now_ns, where(), WORLD.handed
    notes, WORLD.notes = WORLD.notes, []
    answer = handed.answer(request, at_ns, lines, notes)
    if answer is None:
        answer = WORLD.ask(
            {
                **request,
                "kind": "request",
                "at_ns": at_ns,
                "where": lines,
                "notes": notes,
                "taken": handed.taken(),
                "waits": WORLD.waits_taken(),
            }
        )
        handed.answered(answer, at_ns)
    answer["id"] = WORLD.requests
    return answer


def refusal(address: Any) -> dict[str, Any] | None:
    """How the next recorded call to an address failed to connect; None when it did not."""
    if not WORLD.refusing:
        return None
    notes, WORLD.notes = WORLD.notes, []
    answer = WORLD.ask(
        {
            "kind": "connect",
            "host": label(address),
            "at_ns": WORLD.now_ns,
            "where": where(),
            "notes": notes,
            "taken": WORLD.handed.taken(),
            "waits": WORLD.waits_taken(),
        }
    )
    if not answer.get("error"):
        return None
    WORLD.requests += 1
    WORLD.handed.answered(answer, WORLD.now_ns)
    answer["id"] = WORLD.requests
    return answer


def note(number: int, how: str) -> None:
    """Tell the engine with its next message when, and how, the code got an answer or gave up."""
    WORLD.notes.append({"id": number, "at_ns": WORLD.now_ns, "how": how})


def failure(answer: dict[str, Any]) -> OSError:
    """The recorded connection error, as the standard library names it."""
    if answer.get("refused"):
        return ConnectionRefusedError(111, f"recorded: {answer['error']}")
    kind = getattr(builtins, str(answer.get("error")), None)
    if isinstance(kind, type) and issubclass(kind, OSError):
        return kind(f"recorded: {answer['error']}")
    return ConnectionResetError(f"recorded: {answer.get('error')}")


def label(address: Any) -> str:
    """Host and port as the code named them."""
    if isinstance(address, tuple):
        return _names.get(str(address[0]), str(address[0])) + f":{address[1]}"
    return str(address)


def resolve(host: Any) -> str:
    """A made-up address for a name; addresses stay what they are."""
    name = host.decode() if isinstance(host, bytes) else str(host or "127.0.0.1")
    if ":" in name or name.replace(".", "").isdigit():
        return name
    if name not in _addresses:
        number = len(_addresses) + 1
        _addresses[name] = f"198.{18 + (number >> 16 & 1)}.{number >> 8 & 255}.{number & 255}"
        _names[_addresses[name]] = name
    return _addresses[name]
