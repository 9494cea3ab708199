"""A Rego policy asked of recorded decisions through the `opa` command, all in one call.

Each decision's facts are the policy's `input`. What the rule gives is an outcome, or an object with
one; where it gives nothing the answer is unknown. `opa` reads the file given and nothing else.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from analyzer.oversight.policy import OUTCOMES
from store.errors import DataError, UsageError
from store.model import JsonValue

COMMAND = "opa"
SECONDS_MAX = 120
SAID_MAX = 300
"""Letters of what `opa` says against a policy."""
# A value of `with` binds nothing: the facts are bound before it, else `i` is unsafe. Pairs, because
# the keys of a JSON object are no numbers.
QUERY = "[[i, o] | some i; facts := input.facts[i]; o := {rule} with input as facts]"
RULE_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")


def rego_outcomes(
    path: Path, rule: str, facts: Sequence[Mapping[str, JsonValue]]
) -> list[str | None]:
    """What the rule, as `data.risk.outcome`, says of each decision's facts, in their order.

    Raises UsageError when `opa` is not installed, DataError when it refuses the policy.
    """
    if not rule.startswith("data.") or not set(rule) <= RULE_LETTERS:
        raise UsageError(f"{rule!r} is no rule; write it as data.PACKAGE.RULE")
    command = shutil.which(COMMAND)
    if command is None:
        raise UsageError(
            f"{path}: a Rego policy is asked through the `{COMMAND}` command, which is not "
            "installed here; a policy in YAML with CEL conditions needs nothing more"
        )
    known = [{name: value for name, value in one.items() if value is not None} for one in facts]
    asked = [command, "eval", "--format", "json", "--data", str(path), "--stdin-input"]
    try:
        done = subprocess.run(
            [*asked, QUERY.format(rule=rule)],
            input=json.dumps({"facts": known}), capture_output=True, text=True,
            timeout=SECONDS_MAX, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DataError(f"{path}: {COMMAND} gave no answer within {SECONDS_MAX} seconds") from None
    if done.returncode:
        raise DataError(f"{path}: {COMMAND} refused it: {_refusal(done.stdout, done.stderr)}")
    return _outcomes(path, done.stdout, len(facts))


def _refusal(told: str, said: str) -> str:
    """What is wrong: `opa` tells it as JSON where that was asked for, else as text."""
    try:
        error = json.loads(told)["errors"][0]
        place = error.get("location", {})
        where = f", line {place['row']}" if "row" in place else ""
        return f"{error['message'][:SAID_MAX]}{where}"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return next(iter((said or told).strip().splitlines()), "without a word")[:SAID_MAX]


def _outcomes(path: Path, text: str, count: int) -> list[str | None]:
    try:
        told = json.loads(text)["result"][0]["expressions"][0]["value"]
        found = {int(place): value for place, value in told}
    except (ValueError, KeyError, IndexError, TypeError):
        raise DataError(f"{path}: {COMMAND} answered what is no result") from None
    return [_outcome(path, found.get(place)) for place in range(count)]


def _outcome(path: Path, value: JsonValue) -> str | None:
    if isinstance(value, dict):
        value = value.get("outcome")
    if value is None:
        return None
    if value not in OUTCOMES:
        raise DataError(f"{path}: outcome {value!r} is none of {', '.join(OUTCOMES)}")
    return str(value)
