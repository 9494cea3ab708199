"""The policy gate between a scored decision and what is done on it."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

NEVER = 1.1
"""A confidence nobody has."""
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate says and why."""

    outcome: str
    """allow, deny or escalate."""
    reason: str


UNSURE = Verdict(outcome="escalate", reason="confidence too low to act alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of a policy."""

    id: str
    version: str
    sha256: str
    approve_min: float = NEVER
    reject_min: float = NEVER
    accept_min: float = NEVER
    """For answers that are neither approval nor rejection."""
    spot_check_share: float = 0.0
    """Of what would be allowed, the share a person looks at all the same."""

    def judge(self, recommendation: str, confidence: float, draw: float = 1.0) -> Verdict:
        """Allow or deny on a confident recommendation, escalate otherwise."""
        if recommendation == "reject":
            if confidence >= self.reject_min:
                return Verdict(outcome="deny", reason=f"reject at or above {self.reject_min}")
            return UNSURE
        enough = self.approve_min if recommendation == "approve" else self.accept_min
        if confidence < enough:
            return UNSURE
        if draw < self.spot_check_share:
            return Verdict(outcome="escalate", reason="spot check")
        word = "approve" if recommendation == "approve" else "answer"
        return Verdict(outcome="allow", reason=f"{word} at or above {enough}")


def load_policy(system: str, version: str) -> Policy:
    """Read `SYSTEM/policies/VERSION.toml`."""
    data = (HERE / system / "policies" / f"{version}.toml").read_bytes()
    raw = tomllib.loads(data.decode())
    return Policy(sha256=hashlib.sha256(data).hexdigest(), **raw)
