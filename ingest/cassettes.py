"""Interactions of cassettes, as VCR, vcrpy, betamax or go-vcr write them, as spans."""

import datetime
import email.utils
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ingest.exchange import Exchange, describe, from_base64, text_of
from ingest.limits import Limits, excerpt_of
from ingest.reader import Item
from ingest.span_draft import (
    SOURCE,
    SYNTHETIC_TIME,
    SpanDraft,
    json_text,
    span_id_of,
    trace_id_of,
)
from ingest.times import BadTimeError, rfc3339
from store.model import Rejected

Object: TypeAlias = dict[str, object]

LISTS = ("interactions", "http_interactions")
SECOND = 10**9
MILLISECOND = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """An exchange of a file, its place there, and when it was recorded, where that is told."""

    index: int
    exchange: Exchange
    at_ns: int | None = None


class BadInteractionError(ValueError):
    """Raised when an interaction cannot be read; the message is the reason."""


def interactions_in(value: object) -> list[object] | None:
    """The interactions of a cassette; a bare response is an interaction without its request."""
    if not isinstance(value, dict):
        return None
    for name in LISTS:
        found = value.get(name)
        if isinstance(found, list):
            return found
    if "status" in value and "headers" in value and "body" in value:
        return [{"response": value}]
    return None


def spans_of(interactions: list[object], place: str, limits: Limits) -> Iterator[Item]:
    """A span for the cassette and one for each interaction, in the order recorded."""
    read: list[Played] = []
    for index, raw in enumerate(interactions):
        try:
            exchange, at_ns = _exchange(raw, limits)
            read.append(Played(index=index, exchange=exchange, at_ns=at_ns))
        except BadInteractionError as error:
            began = json_text(raw)[:200].encode("utf-8", "replace")
            record = f"{place} interactions[{index}]"
            yield Rejected(record=record, reason=str(error), excerpt=excerpt_of(began))
    yield from as_spans(read, limits, source="vcr", name="cassette")


def as_spans(read: Sequence[Played], limits: Limits, *, source: str, name: str) -> Iterator[Item]:
    """A span called `name` for the file and one for each exchange, in this order.

    Where one of them has no time, all times are made up: each starts a second after the last one's
    start, or when that has ended.
    """
    if not read:
        return
    said = [it.exchange for it in read]
    key = json_text([[e.method, e.url, e.status, e.request_body, e.response_body] for e in said])
    trace_id, root_id = trace_id_of(source, key), span_id_of(source, key, name)
    # Some interactions with a time and some without have no common order in time.
    synthetic = any(it.at_ns is None for it in read)
    drafts = []
    made_up = 2 * SECOND
    for it in read:
        start = made_up if synthetic or it.at_ns is None else it.at_ns
        draft = SpanDraft(limits, trace_id, span_id_of(source, key, it.index), "", "client", start)
        draft.parent_span_id = root_id
        draft.put(SOURCE, source)
        draft.put(SYNTHETIC_TIME, True if synthetic else None)
        took = it.exchange.took_ns or (MILLISECOND if synthetic else 0)
        describe(draft, it.exchange, start + took)
        made_up += max(SECOND, took)
        drafts.append(draft)
    first = min(draft.start_ns for draft in drafts)
    root = SpanDraft(limits, trace_id, root_id, name, "internal", first)
    root.put(SOURCE, source)
    root.put("retrospan.flow.name", name)
    root.put(SYNTHETIC_TIME, True if synthetic else None)
    root.close(max(draft.end_ns or 0 for draft in drafts), "unset")
    for draft in (root, *drafts):
        yield draft.span({})


def _exchange(raw: object, limits: Limits) -> tuple[Exchange, int | None]:
    if not isinstance(raw, dict):
        raise BadInteractionError("the interaction is not an object")
    request, response = raw.get("request"), raw.get("response")
    if not isinstance(response, dict):
        raise BadInteractionError("the interaction has no response")
    request = request if isinstance(request, dict) else {}
    asked, answered = _headers(request), _headers(response)
    url = request.get("uri") or request.get("url") or response.get("url")
    if request and not isinstance(url, str):
        raise BadInteractionError("the request has no uri")
    exchange = Exchange(
        method=str(request.get("method") or "GET"),
        url=url if isinstance(url, str) else "",
        status=_status(response),
        request_headers=asked,
        response_headers=answered,
        request_body=_body(request.get("body"), asked, limits),
        response_body=_body(response.get("body", response.get("content")), answered, limits),
    )
    return exchange, _recorded(raw.get("recorded_at"))


def _status(response: Object) -> int | None:
    raw = response.get("status_code", response.get("code"))
    if raw is None:
        raw = response.get("status")
    if isinstance(raw, dict):
        raw = raw.get("code")
    if isinstance(raw, str):
        raw = int(raw[:3]) if raw[:3].isascii() and raw[:3].isdigit() else None
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and 0 < raw < 1000 else None


def _headers(side: Object) -> list[tuple[str, str]]:
    raw = side.get("headers")
    found = []
    for name, value in raw.items() if isinstance(raw, dict) else ():
        values = value if isinstance(value, list) else [value]
        found.append((str(name), ", ".join(str(item) for item in values if item is not None)))
    return found


def _body(raw: object, headers: list[tuple[str, str]], limits: Limits) -> str | None:
    if isinstance(raw, dict):
        if isinstance(raw.get("base64_string"), str):
            return text_of(from_base64(raw["base64_string"]), headers, limits)
        if "string" not in raw:
            return json_text(raw) if raw and set(raw) != {"encoding"} else None
        raw = raw["string"]
    if raw is None or raw == "":
        return None
    if isinstance(raw, bytes):
        return text_of(raw, headers, limits)
    return raw if isinstance(raw, str) else json_text(raw)


def _recorded(raw: object) -> int | None:
    """When it was recorded: Ruby writes the date of a header, betamax an ISO time."""
    if isinstance(raw, datetime.datetime):
        at = raw if raw.tzinfo is not None else raw.replace(tzinfo=datetime.UTC)
        raw = at.astimezone(datetime.UTC).isoformat()
    if not isinstance(raw, str) or not raw:
        return None
    try:
        return rfc3339(raw)
    except BadTimeError:
        pass
    try:
        at = email.utils.parsedate_to_datetime(raw)
        return max(0, int(at.timestamp())) * SECOND
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
