"""Answers handed over with a flow: a request recorded to the byte needs no round trip.

In: the requests and answers of one recording, in the order recorded. Out: answers, and a log of
them that goes to the engine with the next message; the engine answers each again and holds the
child to it. After a request whose recorded one the engine cannot tell, it alone answers.
"""

from __future__ import annotations

from typing import Any


class Handed:
    """The answers of one flow. `log` tells of each that was taken since the engine was last told:
    number of the recorded request, the gap given, moment, source lines, headers, notes."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.log: list[Any] = []
        self._hosts: dict[str, str] = told.get("hosts", {})
        self._gap_max_ns = int(told.get("gap_max_ns", 0))
        self._answers: list[Any] = told.get("answers", [])
        self._usable = bool(self._answers)
        self._asked: list[Any] = []  # the recorded request of each, and when it was sent
        self._last: Any = (-1, 0, None)
        # Equal requests are answered in the order recorded, however they were written.
        waiting: dict[int, list[int]] = {}
        self._numbers: dict[Any, list[int]] = {}
        for number, (callee, method, target, text, first, *_) in enumerate(self._answers):
            same = waiting.setdefault(first, [])
            same.append(number)
            self._numbers[callee, method, target, text] = same

    def answer(
        self, request: dict[str, Any], at_ns: int, where: str, notes: list[dict[str, Any]]
    ) -> dict[str, Any] | None:
        """The answer to a request made now; None when only the engine can tell."""
        if not self._usable:
            return None
        self._noted(notes)
        said = self._callee(request["host"]), request["method"], request["target"]
        left = self._numbers.get((*said, request["body"].get("text")))
        if not left:
            return None
        start_ns, _, told = self._answers[left[0]][5:]
        gap_ns = start_ns - self._mapped(at_ns)
        if gap_ns > self._gap_max_ns:
            return None
        gap_ns, number = max(0, gap_ns), left.pop(0)
        self._asked.append((number, at_ns + gap_ns))
        self.log.append([number, gap_ns, at_ns, where, request["headers"], notes])
        return {"gap_ns": gap_ns, **told}

    def answered(self, answer: dict[str, Any], at_ns: int) -> None:
        """Take note of what the engine answered itself."""
        number = answer.get("number")
        if number is None:
            self._usable = False
        elif self._usable:
            for left in self._numbers.values():
                if number in left:
                    left.remove(number)
            self._asked.append((number, at_ns + answer["gap_ns"]))

    def taken(self) -> list[Any]:
        """The log, which begins anew."""
        log, self.log = self.log, []
        return log

    def _callee(self, host: str) -> str | None:
        host = host.lower()
        name, _, port = host.rpartition(":")
        return self._hosts.get(host) or (self._hosts.get(name) if port.isdecimal() else None)

    def _mapped(self, at_ns: int) -> int:
        """A moment as the recording's clock would show it."""
        ended_ns, _, number = self._last
        return at_ns if number is None else self._answers[number][6] + at_ns - ended_ns

    def _noted(self, notes: list[dict[str, Any]]) -> None:
        for note in notes:
            if note["id"] > len(self._asked):
                continue
            number, sent_ns = self._asked[note["id"] - 1]
            ended_ns = note["at_ns"]
            if note["how"] == "closed":
                start_ns, end_ns = self._answers[number][5:7]
                ended_ns = min(ended_ns, sent_ns + end_ns - start_ns)
            self._last = max(self._last, (ended_ns, sent_ns, number))
