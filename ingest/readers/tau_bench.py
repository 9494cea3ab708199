"""Runs of a tool-calling agent with their rewards: the result files of tau-bench.

A list of runs: `task_id`, `trial`, `reward` from 0 to 1, `traj` (messages as chat APIs have them)
and `info`, in which the reward is explained. The reward and what the task asked to be done are kept
as evaluations: they are no part of what the agent did.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, TypeAlias

from ingest.agent_runs import ROUNDS_MAX, By, Call, Evaluation, Message, Recorded, spans_of
from ingest.jsonstream import Grammar, decode_plain, entries
from ingest.limits import Limits, excerpt_of
from ingest.reader import Item
from ingest.span_draft import json_text
from store.model import Rejected

Object: TypeAlias = dict[str, object]

_PARTS = (
    re.compile(rb'"task_id"\s*:'), re.compile(rb'"reward"\s*:'),
    re.compile(rb'"traj"\s*:\s*\[\s*\{'),
)  # fmt: skip
_BY: dict[str, By] = {
    "system": "instructions", "user": "person", "assistant": "agent", "tool": "tool",
}  # fmt: skip
AGENT = "agent"
CALLS_MAX = 128


def _is_document(value: object) -> bool:
    if isinstance(value, list):
        return any(isinstance(it, dict) and "traj" in it for it in value[:1])
    return isinstance(value, dict) and "traj" in value


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json_text(value)


def _messages(trajectory: list[object]) -> Iterator[Message]:
    waiting: dict[str, Call] = {}
    for raw in trajectory:
        told = _object(raw)
        by = _BY.get(_text(told.get("role")), "person")
        content = _text(told.get("content"))
        called = told.get("tool_calls")
        calls = [_call(it) for it in (called if isinstance(called, list) else [])[:CALLS_MAX]]
        waiting |= {it.call_id: it for it in calls}
        if by == "tool":
            answers = waiting.get(_text(told.get("tool_call_id")))
            name = _text(told.get("name")) or (answers.name if answers is not None else "tool")
            failed = content.lstrip().lower().startswith("error")
            yield Message(by=by, name=name, text=content, answers=answers, failed=failed)
        else:
            name = {"agent": AGENT, "person": "user"}.get(by, "")
            yield Message(by=by, name=name, text=content, calls=calls)


def _call(raw: object) -> Call:
    told = _object(raw)
    function = _object(told.get("function"))
    return Call(
        name=_text(function.get("name")) or "unknown",
        arguments=_text(function.get("arguments")),
        call_id=_text(told.get("id")),
    )


class TauBenchReader:
    """Reads every run of a result file."""

    name = "tau_bench"

    def sniff(self, head: bytes) -> bool:
        """Claimed by a task, a reward and a trajectory side by side."""
        return b"\0" not in head and all(part.search(head) for part in _PARTS)

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """The spans of every run."""
        for found in entries(stream, limits, Grammar(decode_plain, _is_document)):
            if isinstance(found, Rejected):
                yield found
            else:
                place, value = found
                yield from _read_one(value, place, limits)


def _read_one(value: object, place: str, limits: Limits) -> Iterator[Item]:
    trajectory = value.get("traj") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(trajectory, list) or not trajectory:
        began = json_text(value)[:200].encode("utf-8", "replace")
        reason = "no run: expected traj, a list of messages"
        yield Rejected(record=place, reason=reason, excerpt=excerpt_of(began))
        return
    if len(trajectory) > ROUNDS_MAX:
        yield Rejected(record=place, reason=f"traj has more than {ROUNDS_MAX} messages")
        return
    reward = value.get("reward")
    known = isinstance(reward, int | float) and not isinstance(reward, bool)
    info = _object(value.get("info"))
    task = _object(info.get("task"))
    evaluations = []
    if isinstance(reward, int | float) and known:
        explained = json_text(info.get("reward_info")) if info.get("reward_info") else ""
        evaluations.append(Evaluation(name="reward", score=float(reward), explanation=explained))
    if task.get("actions") is not None:
        evaluations.append(
            Evaluation(name="expected_actions", explanation=json_text(task.get("actions")))
        )
    run = Recorded(
        source="tau-bench",
        name="agent serves a customer",
        task=f"{_text(value.get('task_id'))} {_text(task.get('user_id'))}".strip(),
        key=f"{_text(value.get('task_id'))}/{_text(value.get('trial'))}",
        question=_text(task.get("instruction")),
        messages=list(_messages(trajectory)),
        evaluations=evaluations,
        succeeded=reward == 1 if known else None,
    )
    yield from spans_of(run, limits)


READER = TauBenchReader()
