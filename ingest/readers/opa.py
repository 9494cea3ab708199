"""Open Policy Agent decision logs: one object a line, or the arrays it uploads."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from ingest.ids import BadIdError, Id, Ids
from ingest.jsonstream import Grammar, decode_plain, entries
from ingest.limits import Limits, excerpt_of
from ingest.reader import Item
from ingest.span_draft import json_text
from ingest.times import BadTimeError, rfc3339
from store.model import Decision, JsonValue, Rejected

_ID = re.compile(rb'"decision_id"\s*:')
_OPA = re.compile(
    rb'"(?:labels|bundles|requested_by|erased|masked|nd_builtin_cache|mapped_result)"\s*:'
)
_OURS = re.compile(rb'"schema"\s*:\s*"retrospan\.')
# Names under which policies answer whether something may be done.
_VERDICTS = ("allow", "allowed", "decision", "result", "authorized")
CHOSEN_CHARS = 65_536


def _is_document(value: object) -> bool:
    return isinstance(value, dict) and "decision_id" in value


def _decision(value: object, ids: Ids, limits: Limits) -> Decision:
    if not isinstance(value, dict):
        raise BadTimeError("not a JSON object")
    number = value.get("decision_id")
    if not isinstance(number, str) or not number:
        raise BadTimeError("decision_id is missing or not text")
    depth = limits.nesting_depth - 1
    record = {str(key): _plain(item, depth) for key, item in value.items()}
    time_ns = rfc3339(value.get("timestamp"), "timestamp")
    path = _text(value.get("path")) or _text(value.get("query"))
    verdict = _verdict(value)
    trace, span = ids.trace(value.get("trace_id")), ids.span(value.get("span_id"))
    return Decision(
        decision_id=number,
        time_ns=time_ns,
        chosen=_chosen(value)[: min(CHOSEN_CHARS, limits.attribute_chars)],
        trace_id=_hex(trace),
        span_id=_hex(span),
        policy_id=path,
        policy_version=_revision(value),
        policy_outcome=None if verdict is None else "allow" if verdict else "deny",
        record=record,
    )


def _hex(found: Id | None) -> str | None:
    return None if found is None else found.hex


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _revision(value: dict[str, object]) -> str | None:
    """The revision of the policies in force: of each bundle by name when there are several."""
    bundles = value.get("bundles")
    found = {
        name: revision
        for name, bundle in (bundles.items() if isinstance(bundles, dict) else ())
        if isinstance(bundle, dict) and (revision := _text(bundle.get("revision")))
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        return ",".join(f"{name}={revision}" for name, revision in sorted(found.items()))
    return _text(value.get("revision"))  # before bundles had names


def _verdict(value: dict[str, object]) -> bool | None:
    """Whether it was allowed; None when the result says something else."""
    result = value.get("result")
    if isinstance(result, dict):
        result = next((result[name] for name in _VERDICTS if name in result), None)
    if isinstance(result, bool):
        return result
    word = result.strip().lower() if isinstance(result, str) else ""
    return {"true": True, "allow": True, "false": False, "deny": False}.get(word)


def _chosen(value: dict[str, object]) -> str:
    """The result in one line; an undefined one and an error are answers too."""
    if "result" in value:
        result = value["result"]
        return result if isinstance(result, str) else json_text(result)
    return "error" if value.get("error") else "undefined"


def _plain(value: object, depth: int) -> JsonValue:
    if depth < 0:
        raise BadTimeError("nested deeper than nesting_depth")
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise BadTimeError("a number is too large for JSON")
    return value if isinstance(value, bool | int | float | str) else None


class OpaReader:
    """Reads what OPA decided; erased or masked input stays erased or masked, and says so."""

    name = "opa"

    def sniff(self, head: bytes) -> bool:
        """Claimed by a decision id beside a field that only OPA writes; never our own log."""
        if b"\0" in head or _OURS.search(head):
            return False
        return _ID.search(head) is not None and _OPA.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every decision in order; of several with one id the store keeps the first."""
        ids = Ids()
        for found in entries(stream, limits, Grammar(decode_plain, _is_document)):
            if isinstance(found, Rejected):
                yield found
                continue
            place, value = found
            try:
                yield _decision(value, ids, limits)
            except (BadTimeError, BadIdError) as error:
                began = json_text(value)[:200].encode("utf-8", "replace")
                yield Rejected(record=place, reason=str(error), excerpt=excerpt_of(began))


READER = OpaReader()
