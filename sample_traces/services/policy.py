"""The policy gate between a scored decision and the money."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

POLICIES = Path(__file__).parent / "policies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate says and why."""

    outcome: str
    """allow, deny or escalate."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of the payment-risk policy."""

    id: str
    version: str
    sha256: str
    approve_min: float
    reject_min: float

    def judge(self, recommendation: str, confidence: float) -> Verdict:
        """Allow or deny on a confident recommendation, escalate otherwise."""
        if recommendation == "approve" and confidence >= self.approve_min:
            return Verdict(outcome="allow", reason=f"approve at or above {self.approve_min}")
        if recommendation == "reject" and confidence >= self.reject_min:
            return Verdict(outcome="deny", reason=f"reject at or above {self.reject_min}")
        return Verdict(outcome="escalate", reason="confidence too low to act alone")


def load_policy(version: str) -> Policy:
    """Read `policies/VERSION.toml`."""
    data = (POLICIES / f"{version}.toml").read_bytes()
    raw = tomllib.loads(data.decode())
    return Policy(sha256=hashlib.sha256(data).hexdigest(), **raw)
