"""A system that holds accounts: identity, billing or customer relations, one process each.

It honours idempotency keys. A request whose client gave up is worked on to its end.
"""

from __future__ import annotations

import hashlib
import time

from sample_traces.services.faults import index_of
from sample_traces.services.once import Once
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route

PREFIXES = {"identity": "idn", "billing": "bil", "crm": "crm"}


class Accounts:
    """Creates and closes accounts, once per idempotency key."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._once = Once()
        self._prefix = PREFIXES[host.identity.name]

    def create(self, request: Request) -> Answer:
        """Make an account."""
        return self._keyed("POST /accounts", request, self._create)

    def close(self, request: Request) -> Answer:
        """Take an account back; every new key is a closure of its own in the accounts' ledger."""
        return self._keyed("POST /closures", request, self._close)

    def activate(self, request: Request) -> Answer:
        """Let the applicant in."""
        return self._keyed("POST /activations", request, self._activate)

    def _keyed(self, operation: str, request: Request, effect: Route) -> Answer:
        host, key = self._host, request.key or ""
        applicant_id = str(request.body["applicant_id"])
        nth = host.book.arrive(operation, applicant_id, key)

        def work(_: object) -> Answer:
            name = host.identity.name
            fate = host.plan.fate(name, operation, index_of(applicant_id), nth)
            time.sleep(fate.latency_s)
            if fate.error_status is not None:
                host.telemetry.log(
                    "ERROR", f"{name}: directory not reachable", {}, context=request.context
                )
                return Answer(status=fate.error_status, body={"error": "directory_unavailable"})
            return effect(request)

        return self._once.run(key, work)

    def _create(self, request: Request) -> Answer:
        applicant_id = str(request.body["applicant_id"])
        account_id = self._reference(self._prefix, str(request.key))
        self._host.book.write(
            "accounts", flow_id=applicant_id, account_id=account_id, key=request.key
        )
        body = {"status": "created", "account_id": account_id}
        return Answer(status=201, body=body, effect=self._effect(request, account_id))

    def _close(self, request: Request) -> Answer:
        body = request.body
        closure_id = self._reference(f"{self._prefix}x", str(request.key))
        self._host.book.write(
            "closures",
            flow_id=body["applicant_id"],
            account_id=body["account_id"],
            closure_id=closure_id,
            key=request.key,
        )
        answer = {"status": "closed", "closure_id": closure_id}
        return Answer(status=201, body=answer, effect=self._effect(request, closure_id))

    def _activate(self, request: Request) -> Answer:
        activation_id = self._reference("act", str(request.key))
        self._host.book.write(
            "activations", flow_id=request.body["applicant_id"], activation_id=activation_id
        )
        answer = {"status": "active", "activation_id": activation_id}
        return Answer(status=201, body=answer, effect=self._effect(request, activation_id))

    def _reference(self, prefix: str, text: str) -> str:
        digest = hashlib.sha256(f"{self._host.identity.name}/{text}".encode()).hexdigest()[:12]
        return f"{prefix}_{digest}"

    def _effect(self, request: Request, reference: str) -> dict[str, str]:
        effect = {
            "retrospan.saga.external_ref": reference,
            "retrospan.saga.resource": f"{request.body['applicant_id']}/{self._host.identity.name}",
        }
        if "amount" in request.body:
            effect["retrospan.saga.amount"] = str(request.body["amount"])
            effect["retrospan.saga.currency"] = str(request.body["currency"])
        return effect


def build(host: Host) -> dict[str, Route]:
    """The routes of one of the three systems."""
    accounts = Accounts(host)
    routes: dict[str, Route] = {"/accounts": accounts.create, "/closures": accounts.close}
    if host.identity.name == "identity":
        routes["/activations"] = accounts.activate
    return routes
