"""Which spans are attempts, and what each says before it is grouped into a step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.assign.values import message_of
from analyzer.conventions import (
    ACTIVITY_ID,
    DECISION_GATE_OUTCOME,
    ENGINE_ACTIVITY_PREFIX,
    ENGINE_MARKER_PREFIXES,
    IDEMPOTENCY_KEY,
    REQUEST,
    RESEND_COUNT,
    RUN_ID,
    SAGA_ROLE,
    STEP_KEY,
    STEP_KIND,
    SpanKey,
    document,
    integer,
    key_of,
    text,
)
from analyzer.derive.naming import callee_of, ids_in_path, names_by_address, operation_of
from analyzer.derive.outcomes import Ending, ending_of
from analyzer.derive.tree import Tree
from store.model import Attributes, AttributeValue, JsonValue, Span

KINDS = frozenset({"call", "decision", "gate", "timer", "message", "compensation"})
LOCAL_KINDS = frozenset({"decision", "gate", "timer"})
_INHERITED = ("retrospan.step.", "retrospan.saga.", "retrospan.call.", "retrospan.idempotency_key")


@dataclass(slots=True, kw_only=True)
class Call:
    """One attempt, with what grouping and roles ask of it.

    `attributes` include those a wrapping step span declared. `parent` is the span the attempt's
    siblings hang under; `inside` the attempt this one ran in, if any.
    """

    span: Span
    attributes: Attributes
    callee_span: Span | None
    ending: Ending
    callee: str
    operation: str
    kind: str
    key: str
    engine_key: str
    path_ids: str
    idempotency_key: str | None
    has_request: bool
    request: JsonValue
    resends: int
    parent: SpanKey | None
    inside: SpanKey | None


def calls_in(tree: Tree) -> list[Call]:
    """All attempts of a flow in start order."""
    found = [span for span in tree.spans if _is_attempt(span, tree)]
    keys = {key_of(span) for span in found}
    callees = {key_of(span): _callee_span(span, tree) for span in found}
    by_address = names_by_address((span, callees[key_of(span)]) for span in found)
    return [_call(span, tree, keys, callees[key_of(span)], by_address) for span in found]


def _declared(span: Span) -> bool:
    attributes = span.attributes
    return (
        STEP_KEY in attributes
        or STEP_KIND in attributes
        or (DECISION_GATE_OUTCOME in attributes and span.kind == "internal")
    )


def _is_attempt(span: Span, tree: Tree) -> bool:
    if span is tree.root or key_of(span) in tree.joined.silent:
        return False
    if span.name.startswith(ENGINE_ACTIVITY_PREFIX):
        return True
    if span.name.startswith(ENGINE_MARKER_PREFIXES):
        return False
    if span.kind in ("client", "producer"):
        return True
    if not _declared(span):
        return False
    if span.kind in ("server", "consumer"):
        # The callee's side of an attempt repeats its names; it is not a second attempt.
        parent = tree.parent_of(span)
        return parent is not None and parent.kind not in ("client", "producer")
    return not _wraps(span, tree)


def _wraps(span: Span, tree: Tree) -> bool:
    """Whether a declared local span only holds together the real attempts below it."""
    if text(span.attributes, STEP_KIND) in LOCAL_KINDS or DECISION_GATE_OUTCOME in span.attributes:
        return False
    return any(child.kind in ("client", "producer") for child in tree.children_of(span))


def _callee_span(span: Span, tree: Tree) -> Span | None:
    differing = tree.joined.callees.get(key_of(span))
    if differing is not None:
        return differing
    wanted = "consumer" if span.kind == "producer" else "server"
    children = tree.children_of(span)
    for child in children:
        if child.kind == wanted:
            return child
    for child in children:
        if child.kind == "client":  # a client library inside a client library
            for grandchild in tree.children_of(child):
                if grandchild.kind == wanted:
                    return grandchild
    return _receiver(span, tree.receivers.get(key_of(span), ()))


def _receiver(span: Span, received: Sequence[Span]) -> Span | None:
    """Of several deliveries the one that went well; a dead letter is no delivery."""
    message = message_of(span)
    of_it = [one for one in received if message is None or message_of(one) in (None, message)]
    return min(of_it, key=lambda it: ending_of(it).outcome != "ok", default=None)


def _call(
    span: Span,
    tree: Tree,
    attempts: set[SpanKey],
    callee: Span | None,
    by_address: dict[str, str],
) -> Call:
    attributes, parent = _declarations(span, tree)
    has_request, request = document(attributes, *REQUEST)
    inside = next((key for at in tree.causes_of(span) if (key := key_of(at)) in attempts), None)
    activity = text(attributes, *ACTIVITY_ID)
    return Call(
        span=span,
        attributes=attributes,
        callee_span=callee,
        ending=ending_of(span),
        callee=callee_of(span, callee, by_address),
        operation=operation_of(span, callee),
        kind=_kind(span, attributes),
        key=text(attributes, STEP_KEY) or "",
        engine_key=f"{text(attributes, *RUN_ID) or ''}/{activity}" if activity else "",
        path_ids=ids_in_path(span),
        resends=integer(attributes, RESEND_COUNT) or 0,
        idempotency_key=_idempotency_key(attributes, callee),
        has_request=has_request,
        request=request,
        parent=parent,
        inside=inside,
    )


def _declarations(span: Span, tree: Tree) -> tuple[Attributes, SpanKey | None]:
    """The attempt's attributes with its wrapper's, and the span its siblings hang under."""
    attributes: Mapping[str, AttributeValue] = span.attributes
    at = tree.parent_of(span)
    while at is not None and at is not tree.root and at.kind == "internal":
        if _declared(at) and _wraps(at, tree):
            inherited = {
                name: value for name, value in at.attributes.items() if name.startswith(_INHERITED)
            }
            attributes = {**inherited, **attributes}
            break
        if len(tree.children_of(at)) > 1 or _declared(at):
            break
        at = tree.parent_of(at)  # a span around one attempt alone: its siblings are outside
    if at is not None:
        return attributes, key_of(at)
    parent = (span.trace_id, span.parent_span_id) if span.parent_span_id is not None else None
    return attributes, parent


def _idempotency_key(attributes: Attributes, callee: Span | None) -> str | None:
    found = text(attributes, *IDEMPOTENCY_KEY)
    if found is None and callee is not None:
        found = text(callee.attributes, *IDEMPOTENCY_KEY)
    return found


def _kind(span: Span, attributes: Attributes) -> str:
    declared = text(attributes, STEP_KIND)
    if declared in KINDS:
        return declared
    if text(attributes, SAGA_ROLE) == "compensation":
        return "compensation"
    if span.kind == "producer":
        return "message"
    if span.kind == "internal" and DECISION_GATE_OUTCOME in attributes:
        return "gate"
    return "call"


def grouped(calls: Sequence[Call]) -> list[list[Call]]:
    """Attempts of one step together: same place, callee, operation, key, each after a failure."""
    chains: dict[tuple[object, ...], list[list[Call]]] = {}
    order: list[list[Call]] = []
    counting = {call.span.service for call in calls if call.resends}
    for call in calls:
        place = _place(call)
        rivals = chains.setdefault(place, [])
        # A service that counts resends, and counts none here, says itself: this is a new call.
        anew = not call.key and not call.resends and call.span.service in counting
        chain = None if anew and not call.engine_key else _continued(call, rivals)
        if chain is None:
            rivals.append([call])
            order.append(rivals[-1])
        else:
            chain.append(call)
    return order


def _place(call: Call) -> tuple[object, ...]:
    if call.engine_key:
        return ("engine", call.engine_key)
    ids = "" if call.key else call.path_ids
    return (call.parent, call.callee, call.operation, call.key, ids, call.kind)


def _continued(call: Call, rivals: Sequence[list[Call]]) -> list[Call] | None:
    if call.engine_key:
        return rivals[0] if rivals else None
    fitting = [chain for chain in rivals if _retries(call, chain[-1])]
    if not fitting:
        return None

    def fitness(chain: list[Call]) -> tuple[bool, bool, int]:
        counted = call.resends > 0 and call.resends != len(chain)
        return (not _same_request(call, chain[-1]), counted, _end(chain[-1]))

    return min(fitting, key=fitness)


def _end(call: Call) -> int:
    return call.span.end_ns if call.span.end_ns is not None else call.span.start_ns


def _retries(later: Call, earlier: Call) -> bool:
    """Whether `later` tries again what `earlier` failed to do."""
    if earlier.span.end_ns is None or later.span.start_ns < earlier.span.end_ns:
        return False
    if earlier.ending.outcome not in ("error", "timeout", "cancelled"):
        return False
    return bool(later.key) or _same_request(later, earlier)


def _same_request(a: Call, b: Call) -> bool:
    if a.idempotency_key is not None and a.idempotency_key == b.idempotency_key:
        return True
    return not (a.has_request and b.has_request) or a.request == b.request
