"""What the child answers from the answers it was handed is what the engine would have said."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from replay.code import answering
from replay.code.answering import Answering
from replay.code.engine import replay_code
from replay.code.settings import Code
from store.conclusions import ReplayResult
from tests.replay.code.payments import ROOT, payments
from tests.replay.code.recorded import PROGRAMS

RECORDED = "sample_traces.services.payment.replayed:recorded"
FLOWS = 40


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Whatever the engine was asked by a child."""
    asked: list[Any] = []
    answer = Answering.answer

    def counted(self: Answering, message: Any) -> dict[str, Any]:
        asked.append(message)
        return answer(self, message)

    monkeypatch.setattr(Answering, "answer", counted)
    yield asked


def replayed(name: str) -> list[ReplayResult]:
    code = Code(
        name=name, python=sys.executable, path=(str(ROOT), str(PROGRAMS)),
        environment=dict(os.environ), isolate=False,
    )  # fmt: skip
    return list(replay_code(payments()[:FLOWS], code))


@pytest.mark.parametrize("name", [RECORDED, "mutants:key_changed", "mutants:field_added"])
def test_results_are_the_same_as_when_each_request_is_asked(
    name: str, questions: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    handed = replayed(name)
    few = len(questions)
    monkeypatch.setattr(answering, "HANDED_MAX", 0)
    assert replayed(name) == handed
    calls = sum(len(it.events) - 1 for it in handed)
    assert len(questions) - few == calls
    # Recorded requests need no question but where the machine was held up.
    assert few <= (0.02 * calls if name == RECORDED else calls)


def test_a_child_that_answers_otherwise_than_the_engine_is_made_to_ask(
    questions: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = replayed(RECORDED)
    few = len(questions)
    handed = Answering.handed

    def wrong(self: Answering) -> dict[str, Any]:
        told = handed(self)
        for answer in told.get("answers", ()):
            answer[5] += 1_000_000
        return told

    monkeypatch.setattr(Answering, "handed", wrong)
    assert replayed(RECORDED) == right
    assert len(questions) - few >= sum(len(it.events) - 1 for it in right)
