"""Payloads as JSON values; what cannot be read keeps its size and its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any


def values_of(payloads: Iterable[Any]) -> list[Any]:
    """Every payload of a list."""
    return [value_of(payload) for payload in payloads]


def value_of(payload: Any) -> Any:
    """One payload: JSON as it is, nothing as None, all else opaque."""
    encoding = payload.metadata.get("encoding", b"").decode("utf-8", "replace") or "unknown"
    if encoding == "binary/null":
        return None
    if encoding == "json/plain":
        try:
            return json.loads(payload.data)
        except ValueError:
            encoding = "json/plain that is not JSON"
    digest = hashlib.sha256(payload.data).hexdigest()
    return {"opaque": encoding[:200], "size_bytes": len(payload.data), "sha256": digest}


def failure_of(failure: Any) -> list[dict[str, Any]]:
    """A failure and its causes, without stack traces."""
    found: list[dict[str, Any]] = []
    while failure is not None and len(found) < 20:
        info = failure.application_failure_info
        told: dict[str, Any] = {"message": failure.message}
        if failure.HasField("application_failure_info"):
            told.update(type=info.type, non_retryable=info.non_retryable)
            if info.HasField("details"):
                told["details"] = values_of(info.details.payloads)
        else:
            told["type"] = failure.WhichOneof("failure_info") or ""
        if failure.HasField("encoded_attributes"):
            told["encoded"] = value_of(failure.encoded_attributes)
        found.append(told)
        failure = failure.cause if failure.HasField("cause") else None
    return found
