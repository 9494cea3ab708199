"""The onboarding flow: one applicant from the first check to the welcome, or back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sample_traces.services.calls import Caller, Flow, Operation, Result, Saga
from sample_traces.services.decisions import Action
from sample_traces.services.onboarding import operations as ops
from sample_traces.services.onboarding.versions import Behaviour
from sample_traces.services.policy import Verdict
from sample_traces.services.saga import Compensator, Undo
from sample_traces.services.web import Json

FEATURES = ("applicant_id", "country", "document_quality", "device_age_days", "accounts_on_device")


class AbortError(Exception):
    """The onboarding cannot go on; what was done has to be undone."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Oversight:
    """What is known of the model's decision and of who looked at it."""

    variants: list[str] = field(default_factory=list)
    score: Result | None = None
    verdict: Verdict | None = None
    review: Json | None = None
    action: Action | None = None
    decided_at: datetime | None = None
    awaited: bool = True


@dataclass(slots=True, kw_only=True)
class Onboarding:
    """One run of the flow."""

    caller: Caller
    flow: Flow
    behaviour: Behaviour
    applicant: Json
    pool: Executor
    flag: Callable[[Flow], str]
    """Evaluates the model's feature flag."""
    gate: Callable[[Flow, Json], Verdict]
    """Applies the policy to the model's answer."""
    undo: Compensator
    steps: list[dict[str, Any]] = field(default_factory=list)
    oversight: Oversight = field(default_factory=Oversight)

    def run(self) -> Json:
        """Run to the end; the answer is the flow's output."""
        try:
            return self._forward()
        except AbortError as abort:
            undone = self.undo.run()
            output = {"applicant_id": self.flow.flow_id, "status": abort.status}
            return {**output, "reason": abort.reason, "undone": undone}

    def _forward(self) -> Json:
        self._check()
        identity = self._clear_with_risk(self._score())
        accounts = {"identity": identity or self._make("identity")}
        for system in ("billing", "crm"):
            accounts[system] = self._make(system)
        active = self._call(
            ops.ACTIVATE,
            {"applicant_id": self.flow.flow_id, "account_id": accounts["identity"]},
            Saga(step="activate", role="pivot", resource=f"{self.flow.flow_id}/activation"),
        )
        if not active.ok:
            raise AbortError("failed", "activation_unavailable")
        welcomed = self._call(
            ops.WELCOME,
            {"applicant_id": self.flow.flow_id, "template": "welcome"},
            Saga(step="welcome", role="retriable"),
        )
        output = {"applicant_id": self.flow.flow_id, "status": "completed"}
        return {**output, "accounts": accounts, "welcomed": welcomed.ok}

    def _check(self) -> None:
        names = ("applicant_id", "age", "country")
        result = self._call(ops.CHECK, {name: self.applicant[name] for name in names})
        if not result.ok:
            raise AbortError("failed", "checks_unavailable")
        if not result.body["valid"]:
            raise AbortError("rejected", "invalid_application")

    def _score(self) -> Json:
        variant = self.flag(self.flow)
        self.oversight.variants.append(variant)
        request = {**self._features(), "model_variant": variant}
        result = self._call(ops.SCORE, request)
        if not result.ok:
            raise AbortError("failed", "model_unavailable")
        self.oversight.score = result
        self.oversight.decided_at = datetime.now(UTC)
        return result.body

    def _clear_with_risk(self, answer: Json) -> str | None:
        """Ask the gate, or not; the answer is the identity if it was made meanwhile."""
        trusted = self._trusted(answer)
        skipped, awaited = self.behaviour.gate_skipped_from, self.behaviour.gate_awaited_below
        if trusted and skipped is not None and answer["confidence"] >= skipped:
            if answer["recommendation"] != "approve":
                raise AbortError("rejected", "fraud_suspected")
            self._acts()
            return None
        early: Future[str] | None = None
        early_from = awaited if trusted and answer["recommendation"] == "approve" else None
        if early_from is not None and answer["confidence"] >= early_from:
            self.oversight.awaited = False
            self._acts()
            early = self.pool.submit(self._make, "identity")
        verdict = self.oversight.verdict = self.gate(self.flow, answer)
        identity = early.result() if early is not None else None
        if verdict.outcome == "deny":
            raise AbortError("rejected", "fraud_suspected")
        if verdict.outcome == "escalate":
            self._review(answer)
        self._acts()
        return identity

    def _trusted(self, answer: Json) -> bool:
        """Whether this release lets the model's new version have its way.

        The flag is read once more: it may have changed since the score was asked for.
        """
        if self.behaviour.gate_skipped_from is None:
            return False
        self.oversight.variants.append(self.flag(self.flow))
        return self.oversight.variants[-1] == "v2" and answer["confidence"] > 0

    def _review(self, answer: Json) -> None:
        request = {
            "application": self._features(),
            "recommendation": answer["recommendation"],
            "confidence": answer["confidence"],
        }
        result = self._call(ops.REVIEW, request)
        if not result.ok:
            raise AbortError("failed", "review_unavailable")
        self.oversight.review = result.body
        if not result.body["approved"]:
            raise AbortError("rejected", "review_refused")

    def _acts(self) -> None:
        body = self._account_body("identity")
        self.oversight.action = Action(step_key=self.flow.flow_id, body=body)

    def _make(self, system: str) -> str:
        """Make the account in one system; the answer is its id."""
        operation = ops.account_at(system)
        result = self._call(operation, self._account_body(system), self._saga(system))
        if not result.ok:
            raise AbortError("failed", f"{system}_unavailable")
        account_id = str(result.body["account_id"])
        if result.attempts == 1 or not self.behaviour.undo_noted_at_first_attempt_only:
            self.undo.undos.append(self._undo(system, account_id, result))
        return account_id

    def _undo(self, system: str, account_id: str, made: Result) -> Undo:
        made_ns = made.ended_ns
        first_to_go = self.behaviour.identity_undone_first_if_not_awaited
        if system == "identity" and first_to_go and not self.oversight.awaited:
            made_ns = 2 * made_ns  # sorts before everything that was made later
        return Undo(
            operation=ops.closure_at(system, self.behaviour.closure_attempts_max),
            key=account_id,
            body={**self._account_body(system), "account_id": account_id},
            saga=self._saga(system, compensates=made.span_id),
            completed_ns=made_ns,
            key_renewed_after_timeout=self.behaviour.closure_key_renewed_after_timeout,
        )

    def _call(self, operation: Operation, body: Json, saga: Saga | None = None) -> Result:
        """A call with one stable idempotency key."""
        idempotency = f"{self.flow.flow_id}:{operation.callee}{operation.path}"
        result = self.caller.call(
            self.flow,
            operation,
            self.flow.flow_id,
            body,
            key_rule=(lambda _attempt, _timeouts: idempotency) if saga else None,
            saga=saga,
        )
        if saga is not None:
            self.steps.append(
                {
                    "step": saga.step,
                    "role": saga.role,
                    "callee": operation.callee,
                    "started_ns": result.started_ns,
                    "ended_ns": result.ended_ns,
                    "ok": result.ok,
                    "ref": result.body.get(operation.reference) if operation.reference else None,
                }
            )
        return result

    def _features(self) -> Json:
        return {name: self.applicant[name] for name in FEATURES}

    def _account_body(self, system: str) -> Json:
        body: Json = {"applicant_id": self.flow.flow_id}
        if system == "billing":
            body["amount"] = self.applicant["setup_fee"]
            body["currency"] = self.applicant["currency"]
        if system == "crm":
            body["channel"] = self.applicant["channel"]
        return body

    def _saga(self, system: str, compensates: str | None = None) -> Saga:
        money = system == "billing"
        return Saga(
            step=f"{'close' if compensates else 'create'}-{system}",
            role="compensation" if compensates else "compensatable",
            resource=f"{self.flow.flow_id}/{system}",
            amount=self.applicant["setup_fee"] if money else None,
            currency=self.applicant["currency"] if money else None,
            compensates=compensates,
        )
