"""Predicates in CEL, the Common Expression Language, over named facts.

In: a text a stranger wrote, and the names it may use. Out: true, false, or None for unknown. A fact
that is None is left out of what CEL sees: an expression that needs it is unknown, one that does not
(`true || missing`) is answered, as CEL's logic prescribes (cel-spec, "Logical Operators").
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import cel

from store.errors import UsageError
from store.model import JsonValue

CHARACTERS_MAX = 2_000
DEPTH_MAX = 100
CALLS_ALLOWED = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches", "has", "all", "exists", "exists_one"}
    | {"filter", "map", "int", "uint", "double", "string", "bool", "type", "min", "max", "abs"}
)
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
"""Names an expression gives to the elements of a list: `list.exists(NAME, …)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A compiled predicate; `names` are the facts it reads."""

    text: str
    names: frozenset[str]
    program: Any

    def holds(self, facts: Mapping[str, JsonValue]) -> bool | None:
        """Whether it holds of these facts. None where a fact it needs is not known.

        Raises UsageError when it compares what cannot be compared, or gives no truth value.
        """
        value = self.value(facts)
        if value is not None and not isinstance(value, bool):
            raise UsageError(f"{self.text!r} gives {value!r}, not true or false")
        return value

    def value(self, facts: Mapping[str, JsonValue]) -> Any:
        """What it gives, None for unknown."""
        known = {name: facts[name] for name in self.names if facts.get(name) is not None}
        try:
            return self.program.execute(known)
        except (KeyError, RuntimeError) as error:
            if isinstance(error, KeyError) or known.keys() != self.names:
                return None
            raise UsageError(f"{self.text!r}: {error}") from None
        except (TypeError, ValueError, ArithmeticError) as error:
            if known.keys() != self.names:
                return None
            raise UsageError(f"{self.text!r}: {_first_line(error)}") from None


def compiled(text: str, known: Collection[str], place: str = "expression") -> Expression:
    """A text as an expression over the known names.

    Raises UsageError naming the place, when it is too long, no CEL, or reads an unknown name.
    """
    if len(text) > CHARACTERS_MAX:
        raise UsageError(f"{place} has {len(text)} characters; at most {CHARACTERS_MAX} are read")
    if _depth(text) > DEPTH_MAX:
        raise UsageError(f"{place} is nested deeper than {DEPTH_MAX}")
    try:
        program = cel.compile(text)
    except (ValueError, RuntimeError) as error:
        raise UsageError(f"{place} {text!r} is no CEL: {_first_line(error)}") from None
    names = frozenset(program.variables()) - (frozenset(_BOUND.findall(text)) - frozenset(known))
    if unknown := sorted(names - set(known)):
        near = get_close_matches(unknown[0], known, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"{place} {text!r} reads {', '.join(unknown)}; {hint}")
    named = {name for name in program.functions() if name.isidentifier()}
    if foreign := sorted(named - CALLS_ALLOWED):
        raise UsageError(f"{place} {text!r} calls {', '.join(foreign)}, which is not offered")
    return Expression(text=text, names=names, program=program)


def _depth(text: str) -> int:
    depth = deepest = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
