"""Documents as strategies, and both ways to read them: record by record, column by column."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from ingest.aliases import Aliases
from ingest.limits import Limits
from ingest.otlp.protobuf import traces_of
from ingest.own_rules import OwnRules
from ingest.preparation import Preparation
from ingest.reader import Item, Piece
from ingest.readers.otlp_json import OtlpJsonReader
from ingest.readers.otlp_protobuf import READER, OtlpProtobufReader
from ingest.redact import Redactor
from store import rows
from store.log_table import LogTable
from store.model import Span
from store.span_table import SpanTable, joined

AnyReader = OtlpJsonReader | OtlpProtobufReader
LIMITS = Limits(attribute_chars=60, attributes_per_record=6, events_per_span=2, links_per_span=2)
SECRETS = (
    "Bearer abcdef0123456789abcdef",
    "mail me: someone@example.com now",
    'say "password": "hunter2"',
    "token=abc&x=1",
    "https://u:pw1@host/?key=1",
    "card 4111 1111 1111 1111",
    "1700000000000000000",
    "to\u212aen=abcdefgh",
    "AUTHORIZATION: Basic dXNlcjpwYXNz",
    "tenant=abc, tenant: 'secret'",
    "see ORD-1234 and ORD-12",
)


KEY = b"a key for tests"
OWN_RULES = OwnRules(
    names=("tenant", "gen_ai.request.model"),
    patterns={"order": "ORD-[0-9]{4}"},
    exempt=("x.api_key",),
)
ALIASES = Aliases(
    names={
        "http.route": ["card.number", "password", "http.method"],
        "retrospan.flow.id": ["http.status_code"],
        "service.name": ["http.request.method"],
    }
)
PREPARATIONS: dict[str, Callable[[], Preparation]] = {
    "nothing": lambda: Preparation(None),
    "redacted": lambda: Preparation(Redactor(KEY)),
    "by own rules": lambda: Preparation(Redactor(KEY, OWN_RULES)),
    "by own names": lambda: Preparation(Redactor(KEY, OwnRules(names=("tenant",)))),
    "with aliases": lambda: Preparation(None, ALIASES),
    "with all": lambda: Preparation(Redactor(KEY, OWN_RULES), ALIASES),
}


def in_json(message: bytes) -> str:
    """A message as OTLP JSON, by the conversion that the walk over records reads."""
    document = traces_of(message)
    return json.dumps(document)


def reference(
    data: bytes, prepare: Preparation, limits: Limits, reader: AnyReader = READER
) -> SpanTable:
    encoder = rows.span_encoder()
    found = []
    for item in reader.read(io.BytesIO(data), limits):
        item = prepare.item(item)
        if isinstance(item, Span):
            found.append(encoder(item))
    return rows.span_table(found)


def read_columns(
    reader: AnyReader, data: bytes, prepare: Preparation, limits: Limits, piece_bytes: int = 1 << 20
) -> Iterator[Item | SpanTable | LogTable]:
    for part in reader.read_columns(io.BytesIO(data), limits, piece_bytes):
        if isinstance(part, Piece):
            yield from part.make(prepare)
        else:
            yield part


def through_columns(
    data: bytes, prepare: Preparation, limits: Limits, reader: AnyReader = READER
) -> SpanTable:
    encoder = rows.span_encoder()
    parts = []
    for item in read_columns(reader, data, prepare, limits):
        if isinstance(item, SpanTable):
            parts.append(item)
        elif not isinstance(item, LogTable):
            item = prepare.item(item)
            if isinstance(item, Span):
                parts.append(rows.span_table([encoder(item)]))
    return joined([rows.span_table([]), *parts])


def assert_equal(one: SpanTable, other: SpanTable) -> None:
    assert one.spans.to_pylist() == other.spans.to_pylist()
    assert one.events.to_pylist() == other.events.to_pylist()
    assert one.links.to_pylist() == other.links.to_pylist()
    assert one.event_owner.to_list() == other.event_owner.to_list()
    assert one.link_owner.to_list() == other.link_owner.to_list()


texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(SECRETS)
scalars: st.SearchStrategy[dict[str, object]] = (
    st.builds(lambda v: {"string_value": v}, texts)
    | st.builds(lambda v: {"int_value": v}, st.integers(-(2**63), 2**63 - 1))
    | st.builds(lambda v: {"bool_value": v}, st.booleans())
    | st.builds(lambda v: {"double_value": v}, st.floats())
    | st.builds(lambda v: {"bytes_value": v}, st.binary(max_size=5))
    | st.just({})
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.builds(lambda v: {"array_value": {"values": v}}, st.lists(inner, max_size=2))
        | st.builds(
            lambda k, v: {"kvlist_value": {"values": [{"key": k, "value": v}]}}, texts, inner
        )
    ),
    max_leaves=3,
)
keys = texts | st.sampled_from(
    (
        *("http.method", "http.request.method", "http.status_code", "gen_ai.request.model"),
        *("password", "retrospan.flow.id", "x.api_key", "card.number", "$b", "retrospan.truncated"),
    )
)
attributes = st.lists(st.builds(lambda k, v: {"key": k, "value": v}, keys, values), max_size=7)
times = st.integers(1, 2**63 - 1) | st.sampled_from((0, 2**63, 2**64 - 1))
trace_ids = st.binary(min_size=16, max_size=16) | st.sampled_from((b"", b"\0" * 16, b"short"))
span_ids = st.binary(min_size=8, max_size=8) | st.sampled_from((b"", b"\0" * 8))
sound_ids = st.binary(min_size=15, max_size=15).map(lambda v: b"\1" + v)
spans = st.fixed_dictionaries(
    {
        "trace_id": st.one_of(*[sound_ids] * 6, trace_ids),
        "span_id": st.one_of(
            *[st.binary(min_size=7, max_size=7).map(lambda v: b"\1" + v)] * 6, span_ids
        ),
        "parent_span_id": span_ids,
        "name": texts,
        "trace_state": texts,
        "kind": st.one_of(*[st.integers(0, 5)] * 6, st.just(9)),
        "start_time_unix_nano": st.one_of(*[st.integers(1, 2**62)] * 6, times),
        "end_time_unix_nano": st.one_of(*[st.integers(0, 2**62)] * 6, times),
        "attributes": attributes,
    },
    optional={
        "status": st.fixed_dictionaries({"code": st.integers(0, 2), "message": texts}),
        "events": st.lists(
            st.fixed_dictionaries(
                {"time_unix_nano": st.integers(0, 99), "name": texts, "attributes": attributes}
            ),
            max_size=3,
        ),
        "links": st.lists(
            st.fixed_dictionaries(
                {"trace_id": sound_ids, "span_id": span_ids, "attributes": attributes}
            ),
            max_size=2,
        ),
    },
)


def under_resources(groups: str, name: str, records: st.SearchStrategy[Any]) -> Any:
    """Resources with `groups` of records called `name`, each group under its scope."""
    group = st.fixed_dictionaries(
        {
            "scope": st.fixed_dictionaries({"name": texts, "version": texts}),
            name: st.lists(records, max_size=3),
        }
    )
    resource = st.fixed_dictionaries({"attributes": attributes})
    return st.fixed_dictionaries({"resource": resource, groups: st.lists(group, max_size=2)})


resources = under_resources("scope_spans", "spans", spans)
