"""What can be seen in each agent's turn, without understanding the language it is written in.

In: a `Run`. Out: numbers from 0 to 1 by name, in `SIGNS`. They look at the run alone, never at what
was said of it afterwards.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analyzer.agents.run import By, Run, Turn

SIGNS: Final[Mapping[str, str]] = {
    "task": "states the task: an error here misleads all that follow",
    "task_code": "states the task with code already in it",
    "opening": "is the first answer to the task",
    "late": "stands late in the run",
    "brief": "says next to nothing",
    "code": "runs code or calls a tool",
    "failed": "what it called failed",
    "empty": "what it called gave nothing",
    "not_run": "asked for a tool, and nothing was there to run",
    "assumed": "assumes, simulates or estimates",
    "origin": "is the first to state a figure of the final answer",
    "unsupported": "states figures that nobody gave before",
    "concluded": "says that the task is done",
    "repeated": "repeats an earlier turn",
    "share": "is of an agent who spoke much",
}
BRIEF_CHARACTERS: Final = 40
TEXT_CHARACTERS: Final = 20_000
"""So much of a turn is looked at."""
FIGURES_MANY: Final = 5
EARLIER_TURNS: Final = 50
"""A turn is held against so many before it when asking whether it repeats one."""

_FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_WORD = re.compile(r"[a-z]{3,}")
_FENCE = "```"
_ASSUMED = re.compile(
    r"\b(?:assum\w+|placeholders?|hypothetical\w*|simulat\w+|suppose|mock\w*|dummy|example data"
    r"|sample data|let's say|for demonstration|illustrat\w+|approximat\w+|typically|estimat\w+"
    r"|manually|likely|from memory)\b",
    re.IGNORECASE,
)
_CONCLUDED = re.compile(
    r"TERMINATE|final answer|conclu\w+|task is (?:now )?(?:complete|solved)|completed successfully",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"(?:output|result)\s*:\s*(?:\[\]|\{\}|none|null|\Z|0\b|error|no |.*not found|.*failed)"
    r"|\A\s*(?:\[\]|\{\}|none|null|no results?.*|)\s*\Z",
    re.IGNORECASE,
)
_NOT_RUN = re.compile(r"\s*there is no code\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An agent's turn with what can be seen in it; signs of 0 are left out."""

    turn: Turn
    signs: Mapping[str, float]


def signs_of(run: Run) -> list[Signed]:
    """The signs of every turn of an agent, in the order of the run."""
    turns, spoken = run.turns, run.spoken
    said = Counter(turn.agent for turn in spoken)
    final = _figures_of_answer(spoken)
    known = _figures(turns[0].text) if turns else set()
    earlier: list[set[str]] = []
    found: list[Signed] = []
    opened = False
    for index, turn in enumerate(turns):
        figures = _figures(turn.text)
        if turn.by is By.AGENT:
            stating = index == 0
            answer = turns[index + 1] if index + 1 < len(turns) else None
            answer = answer if answer is not None and answer.by is By.TOOL else None
            words = set(_WORD.findall(turn.text[:TEXT_CHARACTERS].lower()))
            code = _FENCE in turn.text or bool(turn.calls)
            fresh = set() if stating else figures - known
            signs = {
                "task": float(stating),
                "task_code": float(stating and _FENCE in turn.text),
                "opening": float(not stating and not opened),
                "late": index / max(1, len(turns) - 1),
                "brief": float(len(turn.text) < BRIEF_CHARACTERS and not turn.calls),
                "code": float(code and not stating),
                "share": said[turn.agent] / len(spoken) if len(said) > 1 else 0.0,
                "origin": float(bool(fresh & final)),
                "unsupported": 0.0 if code else min(1.0, len(fresh) / FIGURES_MANY),
                "repeated": 0.0 if stating else _likeness(words, earlier),
                **_of_answer(answer),
                **({} if stating else _of_words(turn)),
            }
            found.append(Signed(turn=turn, signs={k: v for k, v in signs.items() if v}))
            earlier = [*earlier[1 - EARLIER_TURNS :], words]
            opened = opened or not stating
        known |= figures
    return found


def _of_answer(answer: Turn | None) -> dict[str, float]:
    """What the tool said that the turn called."""
    if answer is None:
        return {}
    text = answer.text[:TEXT_CHARACTERS]
    not_run = _NOT_RUN.match(text) is not None
    nothing = not answer.failed and not not_run and _NOTHING.search(text[:300]) is not None
    return {"failed": float(answer.failed), "empty": float(nothing), "not_run": float(not_run)}


def _of_words(turn: Turn) -> dict[str, float]:
    text = turn.text[:TEXT_CHARACTERS]
    return {
        "assumed": float(_ASSUMED.search(text) is not None),
        "concluded": float(_CONCLUDED.search(text) is not None),
    }


def _figures(text: str) -> set[str]:
    return {it.replace(",", "") for it in _FIGURE.findall(text[:TEXT_CHARACTERS])}


def _figures_of_answer(spoken: Sequence[Turn]) -> set[str]:
    """The figures of the last turn that says something."""
    last = next((it for it in reversed(spoken) if len(it.text) >= BRIEF_CHARACTERS), None)
    return set() if last is None else _figures(last.text)


def _likeness(words: set[str], earlier: Sequence[set[str]]) -> float:
    """How much it shares with the turn it is most like: the Jaccard index of their words."""
    return max((len(words & it) / len(words | it) for it in earlier if words | it), default=0.0)
