"""A message broker: queues with leases, redelivery and dead letters; it sends no telemetry.

A message is leased to one consumer. What is neither acknowledged nor given back until the lease
ends is delivered again; after the last delivery it goes to the topic's dead letters.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Json, Request, Route

LEASE_S = 1.5
DELIVERIES_MAX = 4
POLL_S = 0.01
WAIT_S = 0.5
DEAD = ".dead"


@dataclass(slots=True, kw_only=True)
class Held:
    """One message in a queue."""

    message: Json
    visible_at: float
    published_ns: int
    deliveries: int = 0


@dataclass(slots=True, kw_only=True)
class Broker:
    """All queues."""

    host: Host
    lock: threading.Lock = field(default_factory=threading.Lock)
    queues: dict[str, dict[str, Held]] = field(default_factory=dict)

    def publish(self, request: Request) -> Answer:
        """Take a message: topic, id, subject, headers, body."""
        message = request.body
        with self.lock:
            self._put(str(message["topic"]), message)
        return Answer(status=202, body={})

    def lease(self, request: Request) -> Answer:
        """The oldest message that waits in a topic, if one comes in time."""
        topic, ends = str(request.body["topic"]), time.monotonic() + WAIT_S
        while time.monotonic() < ends and not self.host.stop.is_set():
            with self.lock:
                held = self._next(topic)
            if held is not None:
                return Answer(status=200, body={**held.message, "delivery": held.deliveries})
            time.sleep(POLL_S)
        return Answer(status=200, body={})

    def acknowledge(self, request: Request) -> Answer:
        """Forget a message; 409 if its lease ended and somebody else has it now."""
        body = request.body
        with self.lock:
            held = self.queues.get(body["topic"], {}).get(body["id"])
            mine = held is not None and held.deliveries == body["delivery"]
            if mine:
                del self.queues[body["topic"]][body["id"]]
        self.host.book.write("acks", topic=body["topic"], id=body["id"], ok=mine)
        return Answer(status=200 if mine else 409, body={})

    def give_back(self, request: Request) -> Answer:
        """Deliver a message again after a while."""
        body = request.body
        with self.lock:
            held = self.queues.get(body["topic"], {}).get(body["id"])
            if held is not None and held.deliveries == body["delivery"]:
                held.visible_at = time.monotonic() + float(body["delay_s"])
        return Answer(status=200, body={})

    def _put(self, topic: str, message: Json) -> None:
        stamp = self.host.book.write(
            "published", topic=topic, id=message["id"], flow_id=message["subject"]
        )
        self.queues.setdefault(topic, {})[message["id"]] = Held(
            message={**message, "topic": topic},
            visible_at=time.monotonic(),
            published_ns=stamp["time_ns"],
        )

    def _next(self, topic: str) -> Held | None:
        now = time.monotonic()
        for held in list(self.queues.get(topic, {}).values()):
            if held.visible_at > now:
                continue
            if held.deliveries >= DELIVERIES_MAX:
                del self.queues[topic][held.message["id"]]
                self._put(topic + DEAD, {**held.message, "died_in": topic})
                continue
            held.deliveries += 1
            held.visible_at = now + LEASE_S
            self.host.book.write(
                "deliveries",
                topic=topic,
                id=held.message["id"],
                flow_id=held.message["subject"],
                nth=held.deliveries,
                waited_ns=time.time_ns() - held.published_ns,
            )
            return held
        return None


def build(host: Host) -> dict[str, Route]:
    """The broker's HTTP interface."""
    broker = Broker(host=host)
    return {
        "/publish": broker.publish,
        "/lease": broker.lease,
        "/acknowledge": broker.acknowledge,
        "/give-back": broker.give_back,
    }
