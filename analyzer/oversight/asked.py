"""A policy of either kind asked of recorded decisions: YAML with CEL conditions, or Rego."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.oversight.policy import load_policy
from analyzer.oversight.rego import rego_outcomes
from store.errors import DataError, UsageError
from store.model import JsonValue

REGO = ".rego"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which policy was asked, and what it says of each decision's facts; None is unknown.

    A Rego policy is named by its rule and has no version; `sha256` is of the file's bytes.
    """

    policy_id: str
    version: str | None
    sha256: str
    answers: Sequence[str | None]


def asked(path: Path, rule: str | None, facts: Sequence[Mapping[str, JsonValue]]) -> Asked:
    """Ask the policy in a file. `rule` names the rule of a Rego file, and only of one.

    Raises UsageError or DataError that names the file and the fault.
    """
    if (path.suffix == REGO) != (rule is not None):
        raise UsageError("--rule names the rule of a .rego file, and a .rego file needs it")
    if rule is None:
        policy = load_policy(path)
        return Asked(
            policy_id=policy.policy_id,
            version=policy.version,
            sha256=policy.sha256,
            answers=[policy.outcome(one) for one in facts],
        )
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    answers = rego_outcomes(path, rule, facts)
    return Asked(policy_id=rule, version=None, sha256=digest, answers=answers)
