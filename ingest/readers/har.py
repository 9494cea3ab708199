"""HAR 1.2: what a browser or a proxy recorded, one trace for each page."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import BinaryIO, TypeAlias

from ingest.exchange import Exchange, describe, from_base64, text_of
from ingest.jsonstream import Grammar, decode_plain, documents
from ingest.limits import Limits, excerpt_of
from ingest.reader import Item
from ingest.span_draft import BODY_TRUNCATED, SOURCE, SpanDraft, json_text, span_id_of, trace_id_of
from ingest.times import BadTimeError, rfc3339
from store.model import Rejected

Object: TypeAlias = dict[str, object]

_LOG = re.compile(
    rb'"log"\s*:\s*\{\s*"(?:version|creator|browser|entries|pages|comment|_recordingName)"'
)
_ENTRY = re.compile(rb'"(?:entries|startedDateTime)"\s*:')
MILLISECOND = 1_000_000
TIMINGS = ("blocked", "dns", "connect", "ssl", "send", "wait", "receive")


def _is_document(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("log"), dict)


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _duration_ns(value: object) -> int | None:
    """Nanoseconds of milliseconds; HAR writes -1 for what does not apply."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value * MILLISECOND) if 0 <= value < 10**12 else None


class HarReader:
    """Reads entries into client spans below a span for their page."""

    name = "har"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the log object with entries."""
        if b"\0" in head:
            return False
        return _LOG.search(head) is not None and _ENTRY.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every page's span with those of its entries."""
        for found in documents(stream, limits, Grammar(decode_plain, _is_document)):
            if isinstance(found, Rejected):
                yield found
                continue
            values = found.value if isinstance(found.value, list) else [found.value]
            for index, value in enumerate(values):
                place = f"line {found.line}"
                place += f" [{index}]" if isinstance(found.value, list) else ""
                log = _object(value).get("log")
                if isinstance(log, dict) and isinstance(log.get("entries"), list):
                    yield from _pages(log, place, limits)
                else:
                    yield Rejected(record=place, reason="no HAR: expected log with entries")


def _pages(log: Object, place: str, limits: Limits) -> Iterator[Item]:
    """Entries by the page they belong to; those of no page are one trace together."""
    pages = {_text(_object(page).get("id")): _object(page) for page in _list(log.get("pages"))}
    members: dict[str, list[tuple[int, Object]]] = defaultdict(list)
    for index, entry in enumerate(_list(log.get("entries"))):
        if isinstance(entry, dict):
            reference = _text(entry.get("pageref"))
            members[reference if reference in pages else ""].append((index, entry))
        else:
            where = f"{place} entries[{index}]"
            yield Rejected(record=where, reason="the entry is not a JSON object")
    for reference, entries in members.items():
        yield from _page(pages.get(reference, {}), entries, place, limits)


def _page(
    page: Object, entries: list[tuple[int, Object]], place: str, limits: Limits
) -> Iterator[Item]:
    told = [
        (entry.get("startedDateTime"), _object(entry.get("request")).get("url"))
        for _, entry in entries
    ]
    key = json_text([page.get("id"), page.get("startedDateTime"), told])
    trace_id = trace_id_of("har", key)
    root_id = span_id_of("har", key, "page")
    drafts: list[SpanDraft] = []
    for index, entry in entries:
        try:
            draft = _entry(entry, limits, trace_id, span_id_of("har", key, index))
        except BadTimeError as error:
            began = json_text(entry)[:200].encode("utf-8", "replace")
            record = f"{place} entries[{index}]"
            yield Rejected(record=record, reason=str(error), excerpt=excerpt_of(began))
            continue
        draft.parent_span_id = root_id
        drafts.append(draft)
    if not drafts:
        return
    yield _root(page, drafts, limits, root_id).span({})
    for draft in drafts:
        yield draft.span({})


def _root(page: Object, drafts: list[SpanDraft], limits: Limits, span_id: str) -> SpanDraft:
    """The page, from its own start to the end of its last entry."""
    try:
        start = rfc3339(page.get("startedDateTime"))
    except BadTimeError:
        start = min(draft.start_ns for draft in drafts)
    name = _text(page.get("title")) or _text(page.get("id")) or "HAR"
    root = SpanDraft(limits, drafts[0].trace_id, span_id, name, "internal", start)
    root.put(SOURCE, "har")
    root.put("retrospan.flow.name", name)
    for key, value in _object(page.get("pageTimings")).items():
        root.put(f"har.page.{key}_ms", value if isinstance(value, int | float) else None)
    root.close(max(draft.end_ns or draft.start_ns for draft in drafts), "unset")
    return root


def _entry(entry: Object, limits: Limits, trace_id: str, span_id: str) -> SpanDraft:
    start = rfc3339(entry.get("startedDateTime"), "startedDateTime")
    request, response = _object(entry.get("request")), _object(entry.get("response"))
    method, url = _text(request.get("method")), _text(request.get("url"))
    if not method or not url:
        raise BadTimeError("the entry has no request with method and url")
    content = _object(response.get("content"))
    status = response.get("status")
    exchange = Exchange(
        method=method,
        url=url,
        status=status if isinstance(status, int) and 0 < status < 1000 else None,
        request_headers=_headers(request),
        response_headers=_headers(response),
        request_body=_posted(_object(request.get("postData"))),
        response_body=_body(content, limits),
        error=_text(response.get("_error")) or _text(entry.get("_error")),
    )
    draft = SpanDraft(limits, trace_id, span_id, "", "client", start)
    draft.put(SOURCE, "har")
    timings = _object(entry.get("timings"))
    parts = [_duration_ns(timings.get(name)) for name in TIMINGS if name != "ssl"]
    length = _duration_ns(entry.get("time"))
    if length is None:  # `time` is the sum of the timings, TLS counted inside connect
        length = sum(part for part in parts if part is not None)
    describe(draft, exchange, start + length)
    for name in TIMINGS:
        value = timings.get(name)
        if _duration_ns(value) is not None:
            draft.put(f"har.timing.{name}_ms", value)
    draft.put("network.peer.address", _text(entry.get("serverIPAddress")))
    draft.put("network.protocol.name", _text(response.get("httpVersion")))
    size = content.get("size")
    if isinstance(size, int) and size > 0 and content.get("_isTruncated") is True:
        draft.put(BODY_TRUNCATED, True)
    return draft


def _headers(side: Object) -> list[tuple[str, str]]:
    return [
        (name, _text(header.get("value")))
        for header in map(_object, _list(side.get("headers")))
        if (name := _text(header.get("name")))
    ]


def _posted(data: Object) -> str | None:
    text = data.get("text")
    if isinstance(text, str):
        return text
    fields = {
        _text(item.get("name")): item.get("value")
        for item in map(_object, _list(data.get("params")))
    }
    return json_text(fields) if fields else None


def _body(content: Object, limits: Limits) -> str | None:
    text = content.get("text")
    if not isinstance(text, str):
        return None
    if content.get("encoding") == "base64":
        return text_of(from_base64(text), (), limits)
    return text


READER = HarReader()
