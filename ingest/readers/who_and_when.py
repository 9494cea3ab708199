"""Runs of several agents with who erred and where: the files of Who&When (arXiv 2505.00212).

One JSON object per run: `question`, `history` (messages with `content` and `role`; where a message
has a `name` it is the agent's, else its role is), and the labels `mistake_agent`, `mistake_step`.
Runs without labels are read the same way.
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

_HISTORY = re.compile(rb'"history"\s*:\s*\[\s*\{\s*"(?:content|role|name)"\s*:')
_ABOUT = re.compile(
    rb'"(?:question_ID|question|mistake_agent|mistake_step|is_correct(?:ed)?)"\s*:'
    rb'|\A\s*\{\s*"history"\s*:'
)
_TERMINALS = frozenset({"computer_terminal", "computerterminal", "terminal", "code_executor"})
_PEOPLE = frozenset({"human", "user", "user_proxy"})
_CODE = re.compile(r"```[^\n]*\n(.*?)```", re.DOTALL)
_FAILED = re.compile(r"\s*exitcode:\s*(?!0\b)-?\d+")
# `Orchestrator (thought)` and `Orchestrator (-> WebSurfer)` are the orchestrator's own messages.
_ASIDE = re.compile(r"\s*\((?:thought|termination condition|->[^)]*)\)\s*\Z")


def _is_document(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("history"), list)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json_text(value)


def _messages(history: list[object]) -> Iterator[Message]:
    """The messages in order; a terminal runs the code of the message before it."""
    code = ""
    for raw in history:
        told: Object = raw if isinstance(raw, dict) else {"content": raw}
        said = _text(told.get("name")) or _text(told.get("role")) or "unknown"
        name = _ASIDE.sub("", said) or said
        content = _text(told.get("content"))
        plain = name.lower().replace(" ", "_")
        by: By = "tool" if plain in _TERMINALS else "person" if plain in _PEOPLE else "agent"
        if by == "tool":
            failed = _FAILED.match(content) is not None
            answers = Call(name=name, arguments=code)
            yield Message(by=by, name=name, text=content, answers=answers, failed=failed)
        else:
            yield Message(by=by, name=name, text=content)
            code = "\n".join(_CODE.findall(content))


def _evaluations(value: Object) -> list[Evaluation]:
    found = []
    correct = value.get("is_correct", value.get("is_corrected"))
    if isinstance(correct, bool):
        label = "correct" if correct else "incorrect"
        found.append(Evaluation(name="answer", score=float(correct), label=label))
    expected = value.get("ground_truth", value.get("groundtruth"))
    if expected is not None:
        found.append(Evaluation(name="expected_answer", label=_text(expected)))
    step, agent = _text(value.get("mistake_step")).strip(), _text(value.get("mistake_agent"))
    if agent or step:
        found.append(
            Evaluation(
                name="decisive_step",
                score=float(step) if step.isascii() and step.isdigit() and len(step) < 7 else None,
                label=agent,
                explanation=_text(value.get("mistake_reason")),
            )
        )
    return found


class WhoAndWhenReader:
    """Reads runs with their labels; the labels are no part of what the agents did."""

    name = "who_and_when"

    def sniff(self, head: bytes) -> bool:
        """Claimed by a history of messages beside a question or a label."""
        if b"\0" in head:
            return False
        return _HISTORY.search(head) is not None and _ABOUT.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """The spans of every run."""
        for found in entries(stream, limits, Grammar(decode_plain, _is_document)):
            if isinstance(found, Rejected):
                yield found
            else:
                place, value = found
                yield from _read_one(value, place, limits)


def _read_one(value: object, place: str, limits: Limits) -> Iterator[Item]:
    history = value.get("history") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(history, list) or not history:
        began = json_text(value)[:200].encode("utf-8", "replace")
        reason = "no run of agents: expected history, a list of messages"
        yield Rejected(record=place, reason=reason, excerpt=excerpt_of(began))
        return
    if len(history) > ROUNDS_MAX:
        yield Rejected(record=place, reason=f"history has more than {ROUNDS_MAX} messages")
        return
    correct = value.get("is_correct", value.get("is_corrected"))
    labelled = value.get("mistake_step") is not None
    run = Recorded(
        source="who-and-when",
        name="agents answer a question",
        task=_text(value.get("question_ID")),
        key=_text(value.get("question_ID")),
        question=_text(value.get("question")),
        messages=list(_messages(history)),
        evaluations=_evaluations(value),
        succeeded=correct if isinstance(correct, bool) else False if labelled else None,
    )
    yield from spans_of(run, limits)


READER = WhoAndWhenReader()
