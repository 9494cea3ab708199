"""What was changed shortly before the symptom began and shares its words with what is new, or
names where bad traces ran."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.parts import contrast
from analyzer.rootcause.telemetry import WARN_SEVERITY, Case, Change

HORIZON_NS: Final = 1_800_000_000_000
"""So long before the symptom a change counts half of what it counts right before."""
WORD: Final = re.compile(r"[A-Za-z][a-z]+|[A-Z]{2,}(?![a-z])|[a-z]{3,}")
WORDS_MAX: Final = 2_000
TEXT_CHARACTERS_MAX: Final = 20_000
NAMED_CHARACTERS_MIN: Final = 6
"""A shorter name of an instance or version may stand in a text by chance."""
COMMON: Final = frozenset(
    {
        *("the", "and", "for", "with", "from", "that", "this", "not", "into", "add", "fix", "new"),
        *("func", "return", "string", "error", "err", "nil", "int", "var", "const", "true", "old"),
        *("false", "null", "get", "set", "feat", "chore", "refactor", "test", "docs", "service"),
        *("services", "internal", "pkg", "src", "main", "http", "log", "info"),
    }
)
ARMS: Final = ("policy", "model", "flag", "flow", "setting")


def find(case: Case) -> list[Clue] | None:
    """Changes before the symptom: nearness in time, and rare words in common with the new errors.

    A change that came after the symptom began is no cause. Nearness alone is weak: it is halved
    where the change's text is known and shares nothing. A text that names an instance or version
    which `contrast` finds in bad traces tells as much as one whose words are all new.
    """
    before = [change for change in case.changes if change.at_ns <= case.onset_ns]
    if not case.changes:
        return None
    news = _news(case)
    texts = {change: words(f"{change.name} {change.text}") for change in before}
    seen = Counter(word for found in texts.values() for word in found)
    sick = _sick(case)
    bearers = {
        name: call.service for call in case.incident.calls for name, _ in call.where if " " in name
    }
    clues = []
    for change in before:
        nearness = 1 / (1 + (case.onset_ns - change.at_ns) / HORIZON_NS)
        shared = {word: news[word] / seen[word] for word in texts[change] & news.keys()}
        told = bool(change.text) and change.kind not in ("version", *ARMS)
        alike = sum(shared[word] for word in sorted(shared))
        alike = alike / (alike + 1)
        named = sorted(
            value for value in sick.get(change.service, ()) if _names(change.text, value)
        )
        if named:
            alike = 1.0
        value = nearness * (0.25 + 0.75 * alike) if told else 0.5 * nearness
        best = sorted(shared, key=lambda word: (-shared[word], word))[:5]
        detail = f"{(case.onset_ns - change.at_ns) / 1e9:.0f} s before the symptom"
        if told:
            detail += f"; words in common: {', '.join(best)}" if best else "; no word in common"
            detail += f"; it names {named[0]}, which bad traces bear" if named else ""
        arm = change.kind in ARMS
        clues.append(
            Clue(
                kind=_kind(change, told),
                name=" ".join(filter(None, (change.kind * arm, change.service, change.name))),
                service=bearers.get(f"{change.kind} {change.service}", change.service),
                value=value,
                n=1,
                detail=detail,
            )
        )
    return clues


def _sick(case: Case) -> Mapping[str, frozenset[str]]:
    """The instances and versions of each service that bad traces bear and good ones do not."""
    found: dict[str, set[str]] = {}
    for clue in contrast.find(case) or ():
        value = clue.name.rpartition(" ")[2]
        if len(value) >= NAMED_CHARACTERS_MIN:
            found.setdefault(clue.service, set()).add(value)
    return {service: frozenset(values) for service, values in sorted(found.items())}


def _names(text: str, value: str) -> bool:
    """Whether a text has a value as a word of its own: 1.4.1 is not in 1.4.10."""
    word = rf"(?<![\w.-]){re.escape(value)}(?![\w-]|\.\w)"
    return re.search(word, text[:TEXT_CHARACTERS_MAX]) is not None


def _kind(change: Change, told: bool) -> str:
    if change.kind == "flow":
        return "version"
    return change.kind if change.kind in ("version", *ARMS) and not told else "change"


def words(text: str) -> frozenset[str]:
    """The telling words of a text, in lower case, camel case apart."""
    found = (word.lower() for word in WORD.findall(text)[:WORDS_MAX])
    return frozenset(word for word in found if len(word) > 2 and word not in COMMON)


def _news(case: Case) -> Mapping[str, float]:
    """Words of what is new in the incident, by how much of it they are in, and rare before."""
    usual = Counter(word for line in case.baseline.lines for word in words(line.template))
    fresh = Counter(_fresh(case))
    whole = max(fresh.values(), default=1)
    return {word: (count / whole) / (1 + usual[word]) for word, count in sorted(fresh.items())}


def _fresh(case: Case) -> Iterable[str]:
    known = {(line.service, line.template) for line in case.baseline.lines}
    for line in case.incident.lines:
        if line.severity >= WARN_SEVERITY and (line.service, line.template) not in known:
            yield from sorted(words(line.template))
    errors = {call.error for call in case.baseline.calls}
    for call in case.incident.calls:
        if call.failed and call.error and call.error not in errors:
            yield from sorted(words(f"{call.error} {call.operation}"))


PART = Part(
    name="changes",
    weight=0.5,
    source="nearness in time and words in common; no probability",
    find=find,
)
