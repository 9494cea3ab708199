"""Which step is named as decisive, and when none is."""

from dataclasses import replace
from typing import Any

import pytest

from analyzer.agents.contrast import acts, divergence
from analyzer.agents.decisive import WEIGHTS, Method, likely, rank
from analyzer.agents.run import By, Run, Turn, run_of
from analyzer.agents.signs import SIGNS, signs_of
from store.model import Span, SpanEvent


def turn(place: int, text: str, agent: str = "a", by: By = By.AGENT, **fields: Any) -> Turn:
    given: dict[str, Any] = {"calls": (), "failed": False, **fields}
    return Turn(
        place=place, by=by, agent=agent, text=text, trace_id="1" * 32, span_id=f"{place + 1:016x}",
        **given,
    )  # fmt: skip


def run(*turns: Turn, task: str = "t") -> Run:
    return Run(task=task, turns=turns, judged=None)


def called(place: int, tool: str, arguments: str) -> Turn:
    return turn(place, "", calls=((tool, arguments),))


GUESSED = run(
    turn(0, "You are given a task: how many islands are there in the sea of that name?"),
    turn(1, "```python\nprint(count())\n```", "coder"),
    turn(2, "exitcode: 0\nCode output: a table of 7 rows", "terminal", By.TOOL),
    turn(3, "I assume there are 412 of them, a typical number for such a sea.", "guesser"),
    turn(4, "The final answer is 412, so the task is complete. TERMINATE", "checker"),
)


def test_the_turn_that_assumed_the_figure_of_the_answer_is_named() -> None:
    found = rank(GUESSED)
    assert found.method is Method.SIGNS
    assert found.step is not None
    assert found.step.place == 3
    assert found.agent == "guesser"
    assert "assumes, simulates or estimates" in found.candidates[0].reasons
    assert sum(it.probability for it in found.candidates) == pytest.approx(1)


def test_signs_are_what_they_say() -> None:
    signs = {it.turn.place: it.signs for it in signs_of(GUESSED)}
    assert signs[0]["task"] == 1
    assert signs[1]["opening"] == signs[1]["code"] == 1
    assert "empty" not in signs[1]
    assert signs[3]["assumed"] == signs[3]["origin"] == 1
    assert "origin" not in signs[4]
    assert signs[4]["concluded"] == signs[4]["late"] == 1
    assert {name for found in signs.values() for name in found} <= set(SIGNS)


@pytest.mark.parametrize(
    ("answer", "failed", "sign"),
    [
        ("exitcode: 0\nCode output: []", False, "empty"),
        ("exitcode: 0\nCode output: Population not found.", False, "empty"),
        ("There is no code from the last 1 message for me to execute.", False, "not_run"),
        ("exitcode: 1\nboom", True, "failed"),
    ],
)
def test_what_a_tool_answered_is_a_sign_of_the_turn_that_called_it(
    answer: str, failed: bool, sign: str
) -> None:
    tool = turn(1, answer, "terminal", By.TOOL, failed=failed)
    (asked,) = signs_of(run(turn(0, "```python\nx()\n```"), tool))
    assert [name for name in ("empty", "not_run", "failed") if name in asked.signs] == [sign]


def test_a_tool_and_a_person_are_never_named() -> None:
    found = rank(replace(GUESSED, turns=[*GUESSED.turns, turn(5, "412?", "", By.OTHER)]))
    assert {it.turn.by for it in found.candidates} == {By.AGENT}


def test_without_a_likely_step_none_is_named_and_it_is_said_why() -> None:
    alike = run(*(turn(place, f"We look further into it, part {'x' * 60}", f"a{place}")
                  for place in range(8)))  # fmt: skip
    found = rank(alike)
    assert found.step is None
    assert found.agent is None
    assert "none is named" in found.why
    assert len(found.candidates) == 8


def test_of_a_run_longer_than_was_learned_from_no_step_is_named() -> None:
    long = run(*GUESSED.turns, *(turn(place, "OK", "a") for place in range(5, 30)))
    assert rank(long).step is None
    assert "more than was learned from" in rank(long).why


def test_of_a_run_that_is_not_known_to_have_failed_nothing_is_named() -> None:
    found = rank(GUESSED, [GUESSED], failed=False)
    assert (found.step, found.agent, found.method) == (None, None, Method.NONE)
    assert "not known to have failed" in found.why


def test_of_a_flow_without_messages_nothing_is_said() -> None:
    found = rank(run())
    assert found.method is Method.NONE
    assert (found.step, found.agent, list(found.candidates)) == (None, None, [])


def test_the_first_action_that_no_successful_run_took_is_named_whatever_the_signs_say() -> None:
    failed = run(
        called(0, "get_user", "{}"), called(1, "book", '{"seat":2}'), called(2, "pay", "{}")
    )
    good = run(
        called(0, "find_user", "{}"), called(1, "book", '{"seat": 1}'), called(2, "pay", "{}")
    )
    found = rank(failed, [good])
    assert found.method is Method.CONTRAST
    assert found.step is not None
    assert found.step.place == 1
    assert (
        "book is the first that no run which succeeded at this task made (1 compared)" in found.why
    )


def test_equal_arguments_in_another_spelling_are_the_same_call() -> None:
    one = run(called(0, "book", '{"a": 1, "b": 2}'))
    assert divergence(one, [run(called(0, "book", '{"b":2,"a":1}'))]) is None
    assert divergence(one, [run(called(0, "book", "not json"))]) is not None
    assert divergence(one, []) is None


@pytest.mark.parametrize("tool", ["get_user", "search-flights", "list", "calculate", "find.all"])
def test_what_only_reads_may_differ_between_runs(tool: str) -> None:
    assert not acts(tool)
    assert divergence(run(called(0, tool, "{}")), [run(turn(0, "nothing to do"))]) is None


def test_equal_scores_are_ranked_by_their_order() -> None:
    two = run(turn(0, "x" * 50), turn(1, "y" * 50), turn(2, "z" * 50))
    flat = likely(signs_of(two), {})
    assert [it.turn.place for it in flat] == [0, 1, 2]


def test_every_sign_has_a_weight_and_every_weight_a_sign() -> None:
    assert set(WEIGHTS) == set(SIGNS)


def span(number: int, attributes: dict[str, Any], **fields: Any) -> Span:
    return Span(
        trace_id="1" * 32, span_id=f"{number + 1:016x}",
        parent_span_id=None if number == 0 else f"{1:016x}", name="s", kind="client", service="s",
        start_ns=number, end_ns=number + 1, attributes=attributes, **fields,
    )  # fmt: skip


def test_a_run_is_read_from_spans_with_genai_names() -> None:
    message = '[{"role":"assistant","parts":[{"type":"text","content":"hi"},{"type":"tool_call","name":"book","arguments":"{}"}]}]'  # noqa: E501
    found = run_of(
        [
            span(0, {"retrospan.agent.task": "q"}),
            span(1, {"gen_ai.operation.name": "chat", "gen_ai.agent.name": "x",
                     "gen_ai.output.messages": message}),
            span(2, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "book",
                     "gen_ai.tool.call.result": "no"}, status="error"),
            span(3, {"gen_ai.operation.name": "chat", "gen_ai.output.messages": "not json"}),
        ]
    )  # fmt: skip
    assert found.task == "q"
    assert [(it.by.value, it.agent, it.text, it.failed) for it in found.turns] == [
        ("agent", "x", "hi", False),
        ("tool", "book", "no", True),
        ("agent", "s", "not json", False),
    ]  # fmt: skip
    assert found.turns[0].calls == [("book", "{}")]


def test_labels_do_not_reach_the_ranking() -> None:
    """The same run with another label, or none, is ranked alike."""

    def labelled(label: str, step: float) -> Run:
        event = SpanEvent(
            name="gen_ai.evaluation.result", time_ns=9,
            attributes={"gen_ai.evaluation.name": "decisive_step",
                        "gen_ai.evaluation.score.label": label,
                        "gen_ai.evaluation.score.value": step},
        )  # fmt: skip
        says = {"gen_ai.operation.name": "chat", "gen_ai.agent.name": "x"}
        texts = ("You are given this: how many?", "I assume 51", "It is 51. TERMINATE")
        spans = [
            span(place + 1, {**says, "gen_ai.output.messages": f'["{text}"]'})
            for place, text in enumerate(texts)
        ]
        return run_of([span(0, {}, events=[event] if label else ()), *spans])

    first, second, bare = labelled("x", 0.0), labelled("y", 2.0), labelled("", 0.0)
    assert (first.judged, second.judged, bare.judged) != (None, None, None)
    assert bare.judged is None
    assert rank(first) == rank(second) == rank(bare)
