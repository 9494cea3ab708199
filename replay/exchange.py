"""The HTTP exchanges of one flow as they went over the wire, as far as they were recorded.

In: a flow and its spans. Out: what one service asked of others, request by request, in the order
they began. Code mode and server mode answer from these.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from analyzer.conventions import (
    ADDRESS,
    BODY_TRUNCATED,
    HTTP_METHOD,
    HTTP_STATUS,
    REQUEST,
    RESPONSE,
    integer,
    text,
)
from replay.recording import operation_of
from store.conclusions import Attempt, Flow, Step
from store.errors import NotFoundError
from store.model import Attributes, Span

URL = ("url.full", "http.url")
URL_PATH = ("url.path", "http.target")
URL_QUERY = ("url.query",)
EVENT_NS = "retrospan.stream.event_ns"
_REQUEST_HEADER = "http.request.header."
_RESPONSE_HEADER = "http.response.header."
HEADERS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came back.

    `status` is None when no answer came: `error` then says how it failed, such as `timeout`.
    `answer_after_ns` is how long the answer took: the callee's own time where the caller gave up
    before it. Bodies are text, None where none was recorded; `truncated` says that one is not
    whole. `event_ns` is when each event of a streamed answer came, from the request's start. Header
    names are in lower case.
    """

    span_id: str
    step_id: str
    op: str
    key: str
    callee: str
    host: str
    method: str
    path: str
    query: str
    start_ns: int
    answer_after_ns: int
    request_headers: Mapping[str, str] = field(default_factory=dict)
    request_body: str | None = None
    status: int | None = None
    error: str | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str | None = None
    truncated: bool = False
    event_ns: Sequence[int] = ()

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


def exchanges_of(flow: Flow, spans: Iterable[Span], service: str | None = None) -> list[Exchange]:
    """The HTTP requests a service of the flow made, by start; of its own service by default.

    Steps that are no HTTP requests, such as local decisions and messages, are left out. Raises
    NotFoundError when nothing is left.
    """
    asking = flow.service if service is None else service
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    found = []
    for step in flow.steps:
        if step.service != asking or not step.callee:
            continue
        for attempt in step.attempts:
            span = by_id.get((attempt.trace_id, attempt.span_id))
            if span is not None and text(span.attributes, *HTTP_METHOD) is not None:
                found.append(_exchange(flow, step, attempt, span, by_id))
    if not found:
        raise NotFoundError(
            f"flow {flow.flow_id} holds no HTTP request of {asking}; "
            f"its services are {', '.join(flow.services)}"
        )
    return sorted(found, key=lambda it: (it.start_ns, it.span_id))


def _exchange(
    flow: Flow,
    step: Step,
    attempt: Attempt,
    span: Span,
    by_id: Mapping[tuple[str, str], Span],
) -> Exchange:
    attributes = span.attributes
    callee = by_id.get((attempt.trace_id, attempt.callee_span_id or ""))
    theirs: Attributes = {} if callee is None else callee.attributes
    host, path, query = _address(attributes, step)
    status = attempt.http_status
    late = status is None and attempt.callee_end_ns is not None
    if status is None and late:
        # The caller had gone; what the callee answered is what a patient caller would have got.
        status = integer(theirs, *HTTP_STATUS)
    return Exchange(
        span_id=attempt.span_id,
        step_id=step.step_id,
        op=operation_of(step),
        key=step.key,
        callee=step.callee,
        host=host,
        method=(text(attributes, *HTTP_METHOD) or "GET").upper(),
        path=path,
        query=query,
        start_ns=attempt.start_ns - flow.start_ns,
        answer_after_ns=_answer_after(attempt),
        request_headers=_headers(attributes, theirs, prefix=_REQUEST_HEADER),
        request_body=text(attributes, *REQUEST) or text(theirs, *REQUEST),
        status=status,
        error=None if attempt.http_status is not None else attempt.error or attempt.status,
        response_headers=_headers(attributes, theirs, prefix=_RESPONSE_HEADER),
        response_body=text(attributes, *RESPONSE) or text(theirs, *RESPONSE),
        truncated=BODY_TRUNCATED in attributes,
        event_ns=_event_ns(attributes),
    )


def _event_ns(attributes: Attributes) -> Sequence[int]:
    found = attributes.get(EVENT_NS)
    listed = found if isinstance(found, list) else []
    times = [it for it in listed if isinstance(it, int) and it >= 0]
    return tuple(times) if times == sorted(times) else ()


def _answer_after(attempt: Attempt) -> int:
    """From when the caller asked; a callee's clock is trusted only where the caller saw no end."""
    end_ns = attempt.start_ns if attempt.end_ns is None else attempt.end_ns
    if attempt.http_status is None and attempt.callee_end_ns is not None:
        end_ns = max(end_ns, attempt.callee_end_ns)
    return end_ns - attempt.start_ns


def _address(attributes: Attributes, step: Step) -> tuple[str, str, str]:
    """Host, path and query; the host is the callee's name where no address was recorded."""
    parts = urlsplit(text(attributes, *URL) or "")
    path = parts.path or (text(attributes, *URL_PATH) or "")
    query = parts.query or (text(attributes, *URL_QUERY) or "")
    if "?" in path:
        path, _, query = path.partition("?")
    if not path:
        path = step.operation.partition(" ")[2] or "/"
    return parts.netloc or text(attributes, *ADDRESS) or step.callee, path, query


def _headers(*sources: Attributes, prefix: str) -> dict[str, str]:
    """Captured headers; the caller's word on one goes first."""
    found: dict[str, str] = {}
    for attributes in sources:
        for name in sorted(it for it in attributes if it.startswith(prefix)):
            if len(found) < HEADERS_MAX:
                value = text(attributes, name)
                if value is not None:
                    found.setdefault(name.removeprefix(prefix).replace("_", "-").lower(), value)
    return found


def hosts_of(exchanges: Sequence[Exchange]) -> dict[str, str]:
    """The callee's name by every host its requests went to, and by its own name."""
    hosts = {it.host.lower(): it.callee for it in exchanges}
    return {**{it.callee.lower(): it.callee for it in exchanges}, **hosts}
