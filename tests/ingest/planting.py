"""Secrets planted in every text of a document, to be looked for in the bytes of files."""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ingest.receivers import frames, segments
from store.lease import Store

LUHN_NS = 1_544_712_660_000_000_008
LUHN_TRACE, LUHN_SPAN = "4111111111111111" * 2, "4111111111111111"
SHAPES: tuple[Callable[[str], str], ...] = (
    lambda x: f"Bearer {x}",
    lambda x: f"Authorization: Basic {x}==",
    lambda x: f"password={x}",
    lambda x: f"{x}@example.com",
    lambda x: f"eyJ{x}.{x}.{x}",
    lambda x: f"ghp_{x}{x}",
    lambda x: f"https://joe:{x}@db.example/x",
    lambda x: f"/cb?code={x}&state=7",
    lambda x: json.dumps({"clientSecret": x, "n": 1}),
    lambda x: json.dumps({"body": json.dumps({"api_key": x})}),
    lambda x: f"-----BEGIN PRIVATE KEY-----\n{x}\n-----END PRIVATE KEY-----",
    lambda x: f"ACME-{x}",
)
OWN_PATTERN = r"ACME-[a-z0-9]{1,64}"


class Planter:
    """Hands out texts with secrets; remembers each secret."""

    def __init__(self, body: str, around: str, order: Sequence[int]) -> None:
        self.secrets: list[str] = []
        self._body, self._around, self._order = body, around, order

    def text(self) -> str:
        """A text that has a secret in it."""
        shape = SHAPES[self._order[len(self.secrets) % len(self._order)]]
        secret = f"{self._body}z{len(self.secrets):04d}q"
        self.secrets.append(secret)
        return f"{self._around} {shape(secret)}".strip()

    def bare(self) -> str:
        """A secret that only the name above it betrays."""
        self.text()
        return self.secrets[-1]

    def attributes(self) -> list[dict[str, Any]]:
        """Attributes of every kind, with secrets in names, values, and under names of secrets."""
        bytes_value = base64.b64encode(self.text().encode()).decode()
        return [
            {"key": "plain", "value": {"stringValue": self.text()}},
            {"key": f"k {self.text()}", "value": {"stringValue": "v"}},
            {"key": "retrospan.step.key", "value": {"stringValue": self.text()}},
            {"key": "http.request.header.authorization", "value": {"stringValue": self.bare()}},
            {"key": "bytes", "value": {"bytesValue": bytes_value}},
            {"key": "acme.phone", "value": {"stringValue": self.bare()}},
            {
                "key": "many",
                "value": {
                    "arrayValue": {
                        "values": [
                            {"stringValue": self.text()},
                            {"kvlistValue": {"values": [self.pair("x"), self.pair("db.password")]}},
                        ]
                    }
                },
            },
        ]

    def pair(self, key: str) -> dict[str, Any]:
        text = self.text() if key == "x" else self.bare()
        return {"key": key, "value": {"stringValue": text}}

    def otlp(self) -> dict[str, Any]:
        """Spans with events and links, and logs; ids and times that look like cards."""
        ids = {"traceId": LUHN_TRACE, "spanId": LUHN_SPAN}
        span = {
            **ids,
            "parentSpanId": "79927398713a0000",
            "name": self.text(),
            "traceState": self.text(),
            "kind": 2,
            "startTimeUnixNano": str(LUHN_NS),
            "endTimeUnixNano": str(LUHN_NS + 10),
            "status": {"code": 2, "message": self.text()},
            "attributes": self.attributes(),
            "events": [
                {"name": self.text(), "timeUnixNano": str(LUHN_NS), "attributes": self.attributes()}
            ],
            "links": [{**ids, "traceState": self.text(), "attributes": self.attributes()}],
        }
        log = {
            **ids,
            "timeUnixNano": str(LUHN_NS),
            "observedTimeUnixNano": str(LUHN_NS),
            "severityText": self.text(),
            "eventName": self.text(),
            "body": {"kvlistValue": {"values": self.attributes()}},
            "attributes": self.attributes(),
        }
        spans = [span, {"traceId": "", "name": self.text()}]  # the second cannot be read
        resource = {"attributes": [*self.attributes(), self.service()]}
        scope = {"name": self.text(), "version": self.text(), "attributes": self.attributes()}
        return {
            "resourceSpans": [
                {
                    "resource": resource,
                    "scopeSpans": [{"scope": scope, "spans": spans}],
                }
            ],
            "resourceLogs": [
                {"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": [log]}]}
            ],
        }

    def plain_spans(self, count: int) -> dict[str, Any]:
        """Spans without anything that keeps them from being read column by column."""
        told = [self.pair("x"), self.pair("db.password")]
        spans = [
            {
                "traceId": LUHN_TRACE,
                "spanId": f"{number:016x}",
                "name": self.text(),
                "traceState": self.text(),
                "startTimeUnixNano": str(LUHN_NS),
                "endTimeUnixNano": str(LUHN_NS + 10),
                "status": {"code": 2, "message": self.text()},
                "attributes": told,
                "events": [{"name": self.text(), "timeUnixNano": "1", "attributes": told}],
                "links": [{"traceId": LUHN_TRACE, "spanId": LUHN_SPAN, "attributes": told}],
            }
            for number in range(1, count + 1)
        ]
        scope = {"name": self.text(), "version": self.text()}
        resource = {"attributes": [*told, self.service()]}
        scopes = [{"scope": scope, "spans": spans}]
        return {"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}

    def service(self) -> dict[str, Any]:
        return {"key": "service.name", "value": {"stringValue": self.text()}}

    def decision(self) -> dict[str, Any]:
        """A decision record with every field that holds text."""
        named = {name: self.text() for name in ("id", "version", "outcome", "reason")}
        return {
            "schema": "retrospan.decision/1",
            "decision_id": self.text(),
            "time": "2026-11-22T10:11:12.123456789Z",
            "trace_id": LUHN_TRACE,
            "span_id": LUHN_SPAN,
            "flow_id": self.text(),
            "chosen": self.text(),
            "actor": {"agent": self.text(), "service": self.text()},
            "model": {"name": self.text(), "version": self.text(), "provider": self.text()},
            "input": {"note": self.text(), "password": self.bare(), "deep": [{"x": self.text()}]},
            "candidates": [{"action": self.text(), "score": "0.5"}],
            "policy": named,
            "human_review": {"by": self.text(), "outcome": self.text()},
            "action": {"step_key": self.text()},
            "extra field": self.text(),
        }

    def in_every_text(self, value: Any, spared: frozenset[str]) -> Any:
        """A document with a secret in each text but those under the spared names."""
        if isinstance(value, dict):
            return {
                key: part if key in spared else self.in_every_text(part, spared)
                for key, part in value.items()
            }
        if isinstance(value, list):
            return [self.in_every_text(part, spared) for part in value]
        return f"{value} {self.text()}" if isinstance(value, str) else value


def left_in(folder: Path, secrets: Sequence[str]) -> set[str]:
    """The secrets that stand in any file below a folder: in its bytes, or behind compression."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            for data in _contents(path):
                found.update(secret for secret in secrets if secret.encode() in data)
    return found


def _contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file; what a segment of the spool or a store holds, unpacked."""
    data = path.read_bytes()
    yield data
    if path.suffix in (segments.OPEN, segments.SEALED):
        segment = segments.read(path)
        for block in segment.blocks if segment is not None else ():
            frame = frames.decoded(block)
            for table in frame.tables:
                for part in table.numbered().values():
                    yield repr(part.to_pylist()).encode()
    elif data[8:12] == b"DUCK":
        with Store(path).lease("search") as session:
            for (name,) in session.rows("read/tables"):
                yield repr(session.cursor.table(name).fetchall()).encode()
