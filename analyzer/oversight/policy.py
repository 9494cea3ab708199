"""Policies: versioned files of rules with CEL conditions, asked of recorded decisions.

A file is YAML: `schema`, `id`, `version`, `rules` (each `when` and `outcome`, the first that holds
decides) and `default`. A rule whose condition is unknown of a decision makes the answer unknown:
what comes after it might never have been reached.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from analyzer.conventions import decimal_of
from analyzer.expression import Expression, compiled
from analyzer.oversight.joined import Joined
from store.errors import DataError
from store.model import JsonValue

SCHEMA = "retrospan.policy/1"
BYTES_MAX = 1_000_000
RULES_MAX = 1_000
OUTCOMES = ("allow", "deny", "escalate", "modify")
FACTS: Mapping[str, str] = {
    "chosen": "what was chosen",
    "confidence": "how sure it was, as a double",
    "threshold": "how sure it had to be, as a double",
    "model": "name of the model",
    "model_version": "version of the model",
    "prompt": "id of the prompt",
    "prompt_version": "version of the prompt",
    "agent": "who decided",
    "service": "service that decided",
    "flow": "kind of the flow",
    "input": "the recorded input, as a map",
    "flags": "feature flags, as a map",
    "candidates": "actions that could have been chosen, each with its score",
    "cost_usd": "what it cost, as a double",
}
_PARTS = {
    "model": ("model", "name"), "model_version": ("model", "version"), "prompt": ("prompt", "id"),
    "prompt_version": ("prompt", "version"), "agent": ("actor", "agent"),
    "service": ("actor", "service"), "cost_usd": ("usage", "cost_usd"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition and the outcome where it holds."""

    when: Expression
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy as its file has it; `sha256` is of the file's bytes."""

    policy_id: str
    version: str
    sha256: str
    rules: Sequence[Rule]
    default: str

    def outcome(self, facts: Mapping[str, JsonValue]) -> str | None:
        """What it says of these facts; None where a fact it needs is unknown."""
        for rule in self.rules:
            holds = rule.when.holds(facts)
            if holds is None:
                return None
            if holds:
                return rule.outcome
        return self.default


def facts_of(it: Joined) -> dict[str, JsonValue]:
    """What a policy may read of a decision: what was known before the gate. None is unknown."""
    decision, record = it.decision, it.decision.record
    found: dict[str, JsonValue] = {name: _part(record, *path) for name, path in _PARTS.items()}
    confidence, threshold = decimal_of(decision.confidence), decimal_of(decision.threshold)
    cost = found["cost_usd"]
    number = None if cost is None else decimal_of(str(cost))
    return found | {
        "chosen": decision.chosen or None,
        "confidence": None if confidence is None else float(confidence),
        "threshold": None if threshold is None else float(threshold),
        "model": found["model"] or decision.model_name,
        "model_version": found["model_version"] or decision.model_version,
        "flow": None if it.flow is None else it.flow.name,
        "input": record.get("input"),
        "flags": _flags(it),
        "candidates": record.get("candidates"),
        "cost_usd": None if number is None else float(number),
    }


def _flags(it: Joined) -> JsonValue:
    """What the record says of feature flags, and what was evaluated in the flow beside it."""
    told = it.decision.record.get("feature_flags")
    if not isinstance(told, dict):
        return dict(it.flags) or None
    return {**it.flags, **told}


def _part(record: Mapping[str, JsonValue], name: str, key: str) -> JsonValue:
    value = record.get(name)
    return value.get(key) if isinstance(value, dict) else None


def load_policy(path: Path) -> Policy:
    """A policy from its file. Raises DataError that names the file and the fault."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    if len(data) > BYTES_MAX:
        raise DataError(f"{path} has {len(data)} bytes; a policy has at most {BYTES_MAX}")
    try:
        document = yaml.load(data, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DataError(f"{path} is no YAML: {str(error).splitlines()[0]}") from None
    return _policy(path, document, hashlib.sha256(data).hexdigest())


def _policy(path: Path, document: Any, sha256: str) -> Policy:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise DataError(f"{path}: a policy begins with `schema: {SCHEMA}`")
    _known(path, "the policy", document, {"schema", "id", "version", "rules", "default", "title"})
    named = {name: document.get(name) for name in ("id", "version")}
    for name, value in named.items():
        if not isinstance(value, str) or not value:
            raise DataError(f"{path}: {name} must be a text")
    rules = document.get("rules", [])
    if not isinstance(rules, list) or len(rules) > RULES_MAX:
        raise DataError(f"{path}: rules must be a list of at most {RULES_MAX}")
    return Policy(
        policy_id=str(named["id"]),
        version=str(named["version"]),
        sha256=sha256,
        rules=[_rule(path, number, rule) for number, rule in enumerate(rules, 1)],
        default=_outcome(path, "default", document.get("default")),
    )


def _rule(path: Path, number: int, rule: Any) -> Rule:
    place = f"rule {number}"
    if not isinstance(rule, dict) or not isinstance(rule.get("when"), str):
        raise DataError(f"{path}: {place} needs `when`, a CEL condition as text")
    _known(path, place, rule, {"when", "outcome", "reason"})
    return Rule(
        when=compiled(rule["when"], tuple(FACTS), f"{path}: {place}"),
        outcome=_outcome(path, place, rule.get("outcome")),
        reason=str(rule.get("reason", "")),
    )


def _outcome(path: Path, place: str, value: Any) -> str:
    if value not in OUTCOMES:
        raise DataError(f"{path}: {place}: outcome {value!r} is none of {', '.join(OUTCOMES)}")
    return str(value)


def _known(path: Path, place: str, document: Mapping[str, Any], names: set[str]) -> None:
    if unknown := sorted(set(map(str, document)) - names):
        raise DataError(
            f"{path}: {place} has {', '.join(unknown)}; it may have {', '.join(sorted(names))}"
        )
