"""YAML from strangers: no tags that run code, no nesting that breaks the parser, no alias bombs."""

from typing import Any

import yaml

from ingest.limits import Limits

ALIASES_MAX = 1_000
NODES_MAX = 5_000_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadYamlError(ValueError):
    """Raised when data is no YAML that may be read; the message is the reason."""


def load(data: bytes, limits: Limits) -> list[object]:
    """Every document of the data, as plain values."""
    text = data.decode("utf-8", "replace")
    try:
        # The loader recurses in C: depth is checked on its events, which do not.
        _check(text, limits)
        values: list[object] = list(yaml.load_all(text, Loader=_LOADER))
    except BadYamlError:
        raise
    except yaml.YAMLError as error:
        raise BadYamlError(_worded(error)) from error
    except (RecursionError, ValueError, OverflowError, TypeError, KeyError) as error:
        raise BadYamlError(f"not YAML: {error}"[:200]) from error
    _count(values)
    return values


def _check(text: str, limits: Limits) -> None:
    depth = aliases = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > limits.nesting_depth:
                raise BadYamlError(f"nested deeper than nesting_depth = {limits.nesting_depth}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            if aliases > ALIASES_MAX:
                raise BadYamlError(f"more than {ALIASES_MAX} aliases")


def _count(values: list[object]) -> None:
    """Refuse what grows beyond measure, or holds itself, when its aliases are followed."""
    stack: list[tuple[object, int]] = [(value, 0) for value in values]
    seen = 0
    while stack:
        value, depth = stack.pop()
        seen += 1
        if seen > NODES_MAX or depth > 1_000:
            raise BadYamlError("aliases make it larger than may be read")
        if isinstance(value, dict):
            stack.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, list):
            stack.extend((item, depth + 1) for item in value)


def _worded(error: yaml.YAMLError) -> str:
    text = " ".join(str(error).replace('in "<unicode string>", ', "").split())
    return f"not YAML: {text}"[:200]
