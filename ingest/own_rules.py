"""A team's own redaction rules, refused when they could stall a load.

A pattern is believed only as far as it can be seen to be cheap: matches of bounded length, no
repeat inside a repeat, nothing that looks back or ahead, few repeats at all. So its cost grows with
the length of a text, never faster; then it is timed on texts made to be hard for it.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from ingest.redaction_rules import words_of

NAMES_MAX = 256
NAME_CHARS_MAX = 255
PATTERNS_MAX = 32
PATTERN_CHARS_MAX = 256
REPEATS_MAX = 6
MATCH_CHARS_MIN, MATCH_CHARS_MAX = 3, 1024
TRIAL_CHARS_MAX = 4096
TRIAL_SECONDS_MAX = 0.1  # forty times what the built-in shapes take together
TRIALS = 3

_RULE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_REFUSED = {
    codes.GROUPREF: "a back-reference",
    codes.GROUPREF_EXISTS: "a condition on a group",
    codes.ASSERT: "a look-ahead or look-behind",
    codes.ASSERT_NOT: "a look-ahead or look-behind",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRules:
    """What `[redaction]` adds to the built-in rules.

    `names` are (ends of) names whose values are secret; `patterns` are shapes of secrets by the
    name of their rule, a whole match becomes a token; values under a name in `exempt` stay as they
    are. Names are compared word by word: `x-api-key`, `xApiKey`, `x.api.key` are the same.
    """

    names: Sequence[str] = ()
    patterns: Mapping[str, str] = field(default_factory=dict)
    exempt: Sequence[str] = ()

    def __post_init__(self) -> None:
        for kind in ("names", "exempt"):
            given: object = getattr(self, kind)
            if not isinstance(given, tuple | list) or len(given) > NAMES_MAX:
                raise ValueError(f"{kind} must be a list of at most {NAMES_MAX} names")
            for name in given:
                if not isinstance(name, str) or len(name) > NAME_CHARS_MAX or not words_of(name):
                    raise ValueError(f"{kind}: {name!r} is no attribute name")
        patterns: object = self.patterns
        if not isinstance(patterns, Mapping) or len(patterns) > PATTERNS_MAX:
            raise ValueError(f"patterns must be a table of at most {PATTERNS_MAX} patterns")
        for rule, pattern in patterns.items():
            if not _RULE_NAME.match(rule):
                raise ValueError(f"patterns: {rule!r} must be a word in lower case")
            if not isinstance(pattern, str):
                raise ValueError(f"patterns.{rule} must be text")
            if problem := problem_of(pattern):
                raise ValueError(f"patterns.{rule}: {problem}")

    def __bool__(self) -> bool:
        return bool(self.names or self.patterns or self.exempt)

    def digest(self) -> str:
        """SHA-256 of the rules whatever their order; empty when there are none."""
        if not self:
            return ""
        lists = (sorted(map(words_of, self.names)), sorted(map(words_of, self.exempt)))
        written = json.dumps([*lists, dict(self.patterns)], sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()

    def shapes(self) -> list[tuple[str, re.Pattern[str]]]:
        """Patterns with the names of their rules, in a fixed order."""
        return [(rule, re.compile(pattern)) for rule, pattern in sorted(self.patterns.items())]


@lru_cache(maxsize=PATTERNS_MAX * 4)
def problem_of(pattern: str) -> str:
    """Why a pattern is refused; empty when it is taken."""
    if len(pattern) > PATTERN_CHARS_MAX:
        return f"has {len(pattern)} characters, at most {PATTERN_CHARS_MAX} are allowed"
    try:
        tree = parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is no regular expression: {error}"
    shortest, longest = tree.getwidth()
    if shortest < MATCH_CHARS_MIN:
        return f"may match fewer than {MATCH_CHARS_MIN} characters"
    if longest > MATCH_CHARS_MAX:
        return (
            f"may match more than {MATCH_CHARS_MAX} characters; write {{1,64}} in place of + or *"
        )
    try:
        repeats = sum(1 for _ in _variable_repeats(tree, inside=False))
    except ValueError as error:
        return str(error)
    if repeats > REPEATS_MAX:
        return f"repeats {repeats} parts a variable number of times, at most {REPEATS_MAX} may"
    return _trial_of(compiled, tree)


def _variable_repeats(tree: Any, *, inside: bool) -> Iterator[None]:
    """One for each part that may match in several lengths; ValueError for what may explode."""
    for code, given in tree:
        if code in _REFUSED:
            raise ValueError(f"uses {_REFUSED[code]}; its cost cannot be bounded")
        if code in _REPEATS:
            low, high, part = given
            if inside and high > 1:
                raise ValueError("repeats a part that repeats itself; its cost may explode")
            if low != high:
                yield
            yield from _variable_repeats(part, inside=inside or high > 1)
            if inside and low != high:
                raise ValueError("repeats a part that is optional; its cost may explode")
        elif code is codes.BRANCH:
            if inside:
                raise ValueError("repeats a choice; write the choice of characters as [...]")
            for part in given[1]:
                yield from _variable_repeats(part, inside=inside)
        elif code in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
            part = given[-1] if code is codes.SUBPATTERN else given
            yield from _variable_repeats(part, inside=inside)


def _trial_of(compiled: re.Pattern[str], tree: Any) -> str:
    """Time the pattern on ever longer hard texts, stopping at the first that takes too long."""
    letters = sorted(set(_letters(tree)))[:16]
    units = [*letters, "".join(letters)]
    length = 16
    while length <= TRIAL_CHARS_MAX:
        for unit in filter(None, units):
            text = (unit * length)[:length] + "\n"
            took = _seconds(compiled, text)
            if took > TRIAL_SECONDS_MAX:  # perhaps the machine was busy
                took = min(took, *(_seconds(compiled, text) for _ in range(TRIALS - 1)))
            if took > TRIAL_SECONDS_MAX:
                return f"takes {took:.2f} s on a text of {length} characters; make it stricter"
        length *= 2
    return ""


def _seconds(compiled: re.Pattern[str], text: str) -> float:
    began = time.perf_counter()
    compiled.sub("", text)
    return time.perf_counter() - began


_SAMPLES = {
    codes.CATEGORY_DIGIT: "0",
    codes.CATEGORY_WORD: "a",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_DIGIT: "a",
    codes.CATEGORY_NOT_WORD: "-",
    codes.CATEGORY_NOT_SPACE: "a",
}


def _letters(tree: Any) -> Iterator[str]:
    """A character that each part of a pattern would take."""
    for code, given in tree:
        if code in (codes.LITERAL, codes.NOT_LITERAL):
            yield chr(given) if code is codes.LITERAL else "a"
        elif code is codes.ANY:
            yield "a"
        elif code is codes.RANGE:
            yield chr(given[0])
        elif code is codes.CATEGORY:
            yield _SAMPLES.get(given, "a")
        elif code is codes.IN:
            yield from _letters(given)
        elif code in _REPEATS:
            yield from _letters(given[2])
        elif code is codes.BRANCH:
            for part in given[1]:
                yield from _letters(part)
        elif code in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
            yield from _letters(given[-1] if code is codes.SUBPATTERN else given)
