"""A replay that left the recording is told so that a person sees where, why, and what follows."""

from dataclasses import replace

from retrospan.divergences import SHOWN_MAX, explanation, first_of
from store.conclusions import Divergence, ReplayResult
from tests.retrospan import world

FLOW = world.flow(1)
CHARGE = FLOW.steps[1].step_id


def result(*divergences: Divergence) -> ReplayResult:
    return ReplayResult(
        flow_id=FLOW.flow_id, mode="trace", verdict="diverged", digest="d", outcome="failed",
        virtual_duration_ns=5, virtual_low_ns=4, virtual_high_ns=6, program_digest="p",
        program_flows=9, leave_one_out=True, flags=("cancel_tie mail POST: payment charge",),
        divergences=divergences, answers={"explicit": 2, "missing": 0},
    )  # fmt: skip


CHANGED = Divergence(
    kind="args_changed", step_id=CHARGE, recorded="12.50", replayed="25.00", path="request.amount"
)
LOST = Divergence(
    kind="missing_call", step_id="s", recorded={"op": "mail POST", "key": "k", "attempt": 1,
    "status": "ok"}, replayed=None, source=CHARGE,
)  # fmt: skip


def test_the_first_difference_shows_the_field_and_both_values_and_what_follows_its_source() -> None:
    text = "\n".join(explanation(FLOW, result(CHANGED, LOST)))
    assert "first     payment charge is asked something else: request.amount" in text
    assert "recorded 12.50, replayed 25.00" in text
    assert "mail POST [k] attempt 1 was called, and is not (answered ok)" in text
    assert "follows from payment charge" in text
    assert "answers   2 explicit" in text
    assert "doubt     mail POST may be over before payment charge calls it off, or not" in text


def test_times_are_told_as_durations() -> None:
    late = Divergence(
        kind="timing_changed", step_id=CHARGE, recorded=2_000_000, replayed="0..1000000",
        path="start_ns",
    )  # fmt: skip
    (line,) = [line for line in explanation(FLOW, result(late)) if line.startswith("first")]
    assert "recorded at 2.00 ms, replayed between 0 ns and 1.00 ms" in line


def test_a_long_list_says_how_much_is_left_out() -> None:
    lines = explanation(FLOW, result(*[CHANGED] * (SHOWN_MAX + 5)))
    assert lines[-1].strip() == "and 5 more"


def test_no_value_moves_the_terminal() -> None:
    evil = replace(CHANGED, recorded="\x1b[31m", replayed="\u202e")
    assert not any("\x1b" in line or "\u202e" in line for line in explanation(FLOW, result(evil)))


def test_a_flow_that_cannot_be_replayed_says_why_and_nothing_of_times() -> None:
    refused = replace(
        result(), verdict="unreplayable", outcome="", flags=(), answers={}, reason="too few"
    )
    assert explanation(FLOW, refused) == [
        f"answer    {FLOW.flow_id} cannot be replayed",
        "verdict   unreplayable",
        "because   too few",
    ]


def test_the_first_line_answers_what_was_asked() -> None:
    """Is it reproduced; would the change have helped; and is that certain."""
    recorded = FLOW.outcome.value

    def answer(**changed: object) -> str:
        line = explanation(FLOW, replace(result(), **changed))[0]  # type: ignore[arg-type]
        return line.removeprefix(f"answer    {FLOW.flow_id} ")

    as_is = {"verdict": "identical", "outcome": recorded}
    asked = {"scenario": "s", "control_verdict": "identical", "reason": "not identified: a tie"}
    assert answer(**as_is) == f"comes out as recorded: ends {recorded}"
    assert answer() == f"does not come out as recorded: ends failed instead of {recorded}"
    same = answer(outcome=recorded)
    assert same == f"does not come out as recorded, though it ends {recorded}"
    assert answer(**asked) == f"might end failed instead of {recorded}; that is no claim"
    assert answer(**asked, claim="C2") == f"would end failed instead of {recorded}"
    assert answer(**asked, claim="C3") == f"would likely end failed instead of {recorded}"
    assert answer(**as_is, **asked, claim="C1") == f"would end {recorded}, as recorded"
    several = {**asked, "flags": ("other_outcome outcome: succeeded",)}
    assert answer(**several) == (
        f"might end failed or succeeded (recorded: {recorded}); that is no claim"
    )
    assert answer(**several, claim="C3").endswith("answers that other flows lend decide")
    lost = {**asked, "control_verdict": "diverged"}
    assert answer(**lost).startswith("gets no answer: even unchanged")
    unmade = {**asked, "reason": "control only: 90 recordings"}
    assert answer(**unmade) == "gets no answer: the change was not made"


def test_a_call_that_was_not_recorded_says_whose_answer_it_got() -> None:
    more = Divergence(
        kind="extra_call", step_id="s", recorded=None, path="",
        replayed={"op": "mail POST", "key": "k", "attempt": 1, "status": "ok", "rung": "donor"},
    )  # fmt: skip
    (line,) = [line for line in explanation(FLOW, result(more)) if line.startswith("first")]
    assert line.endswith("is (answered ok, by an answer that other flows lend)")


def test_each_reason_has_its_line_and_no_doubt_is_told_twice() -> None:
    doubt = "mail POST may be over before payment charge calls it off, or not"
    lines = explanation(FLOW, replace(result(), reason=f"not identified: {doubt}; for this alone"))
    at = lines.index(f"because   not identified: {doubt}")
    assert lines[at + 1] == "          for this alone"
    assert sum(doubt in line for line in lines) == 1


def test_the_first_difference_is_told_in_one_line_with_the_names_of_steps() -> None:
    first = first_of(FLOW, result(CHANGED, LOST))
    assert first is not None
    assert first.startswith("payment charge is asked something else: request.amount")
    keyless = replace(LOST, recorded={"op": "mail POST", "key": "", "attempt": 1, "status": "ok"})
    assert first_of(FLOW, result(keyless)) == (
        "mail POST attempt 1 was called, and is not (answered ok)"
    )
    assert first_of(FLOW, result()) is None
