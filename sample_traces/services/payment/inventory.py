"""The stock of all articles: reservations and their release."""

from __future__ import annotations

import hashlib
import time

from sample_traces.services.faults import index_of
from sample_traces.services.once import Once
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route


class Inventory:
    """Reserves and releases, once per idempotency key."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._once = Once()

    def routes(self) -> dict[str, Route]:
        """The inventory's HTTP interface."""
        return {"/reservations": self.reserve, "/releases": self.release}

    def reserve(self, request: Request) -> Answer:
        """Reserve one article: 201, or 409 when it is out of stock."""
        return self._keyed("POST /reservations", request, self._reserve)

    def release(self, request: Request) -> Answer:
        """Give a reservation back."""
        return self._keyed("POST /releases", request, self._release)

    def _keyed(self, operation: str, request: Request, effect: Route) -> Answer:
        host, key = self._host, request.key or ""
        order_id, sku = str(request.body["order_id"]), str(request.body["sku"])
        nth = host.book.arrive(operation, f"{order_id}/{sku}", key)

        def work(_: object) -> Answer:
            # Articles of one order meet their own fates: the sku shifts the draw.
            fate = host.plan.fate(
                "inventory", operation, index_of(order_id), nth + 100 * int(sku[-2:])
            )
            time.sleep(fate.latency_s)
            if fate.error_status is not None:
                return Answer(status=fate.error_status, body={"error": "stock_database_busy"})
            return effect(request)

        return self._once.run(key, work)

    def _reserve(self, request: Request) -> Answer:
        body, plan = request.body, self._host.plan
        order_id, sku = str(body["order_id"]), str(body["sku"])
        if plan.draw("stock", index_of(order_id), sku) < plan.shares["out_of_stock"]:
            return Answer(status=409, body={"status": "out_of_stock", "sku": sku})
        reservation_id = _reference("rsv", f"{order_id}/{sku}")
        self._host.book.write(
            "reservations",
            order_id=order_id,
            sku=sku,
            quantity=body["quantity"],
            reservation_id=reservation_id,
        )
        return Answer(
            status=201,
            body={"status": "reserved", "reservation_id": reservation_id},
            effect=_effect(sku, reservation_id),
        )

    def _release(self, request: Request) -> Answer:
        body = request.body
        release_id = _reference("rel", f"{body['reservation_id']}/{request.key}")
        self._host.book.write(
            "releases",
            order_id=body["order_id"],
            sku=body["sku"],
            reservation_id=body["reservation_id"],
        )
        return Answer(
            status=201,
            body={"status": "released", "release_id": release_id},
            effect=_effect(str(body["sku"]), release_id),
        )


def _reference(prefix: str, text: str) -> str:
    return f"{prefix}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _effect(sku: str, reference: str) -> dict[str, str]:
    return {
        "retrospan.saga.external_ref": reference,
        "retrospan.saga.resource": f"stock:{sku}",
    }


def build(host: Host) -> dict[str, Route]:
    """The routes of the inventory process."""
    return Inventory(host).routes()
