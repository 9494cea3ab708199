"""The declared rules of conformance, from `retrospan.toml` and the convention file it names."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrospan.config import CONFIG_BYTES_MAX, Settings
from store.errors import UsageError

if TYPE_CHECKING:
    from analyzer.conformance import ConformanceSettings, ConventionRule

RULES_MAX = 100
RULE_KEYS = frozenset({"name", "attribute", "on", "kind", "pattern"})


def conformance_settings(settings: Settings) -> "ConformanceSettings":
    """The tables `[conformance]` and `[declared.NAME]`; the convention file lies beside the
    configuration."""
    from analyzer.conformance import ConformanceSettings
    from retrospan.declared import declared_in

    rules = settings.fill(
        "conformance", ConformanceSettings, conventions=(), declared=declared_in(settings)
    )
    if not rules.convention_file:
        return rules
    beside = settings.source.parent if settings.source is not None else Path()
    return replace(rules, conventions=read_conventions(beside / rules.convention_file))


def read_conventions(path: Path) -> "tuple[ConventionRule, ...]":
    """The rules of a convention file: `[[rules]]` with name, attribute, on, kind, pattern."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if len(data) > CONFIG_BYTES_MAX:
        raise UsageError(f"{path} has {len(data)} bytes; a convention file has at most 1,000,000")
    try:
        document = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    entries = document.get("rules")
    if not isinstance(entries, list) or set(document) != {"rules"}:
        raise UsageError(f"{path} must hold [[rules]] and nothing else")
    if len(entries) > RULES_MAX:
        raise UsageError(f"{path} has {len(entries)} rules; at most {RULES_MAX} are checked")
    rules = tuple(_rule(path, number, entry) for number, entry in enumerate(entries, 1))
    names = [rule.name for rule in rules]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise UsageError(f"{path}: more than one rule is called {', '.join(twins)}")
    return rules


def _rule(path: Path, number: int, entry: Any) -> "ConventionRule":
    from analyzer.conformance import ConventionRule

    if not isinstance(entry, dict) or not {"name", "attribute"} <= set(entry) <= RULE_KEYS:
        raise UsageError(
            f"{path}: rule {number} has name and attribute, and may have on, kind, pattern"
        )
    if not all(isinstance(value, str) for value in entry.values()):
        raise UsageError(f"{path}: rule {number}: all values are text")
    try:
        return ConventionRule(**entry)
    except ValueError as error:
        raise UsageError(f"{path}: rule {number}: {error}") from error
