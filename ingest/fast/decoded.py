"""Decoded records into flat columns: of both encodings, as Arrow holds them under OTLP's names."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

import polars as pl
import pyarrow.compute as pc

from ingest.fast.flat import BODY_KEY, FlatLogs, FlatMap, FlatSpans, OddError, begins, repeated
from ingest.limits import Limits
from ingest.otlp.logs import SEVERITY, SEVERITY_COUNT
from ingest.otlp.scopes import Scope, resource_of, scope_of
from ingest.otlp.spans import KIND_NUMBERS, KINDS, STATUS_NUMBERS, STATUSES
from ingest.otlp.values import Decoding, Object, UnreadableError, number_of
from store.model import AttributeValue

CACHE_ENTRIES_MAX = 4096
SCALARS = ("stringValue", "boolValue", "intValue", "doubleValue")
OTHERS = ("arrayValue", "kvlistValue", "bytesValue")

_OF_KINDS = (KIND_NUMBERS, "SPAN_KIND_", "span kind")
_OF_STATUSES = (STATUS_NUMBERS, "STATUS_CODE_", "status code")

Array = Any  # of pyarrow


class FlatDecoded:
    """What both encodings share; each says how it writes ids, numbers, nested values, scopes."""

    def __init__(self, limits: Limits) -> None:
        self.decoding = Decoding(limits)
        self._scopes: dict[tuple[Any, Any], Scope] = {}

    def trace_ids(self, array: Array, *, required: bool = True) -> pl.Series:
        """Hex in lower case; an absent one is null."""
        raise NotImplementedError

    def span_ids(self, array: Array, *, required: bool) -> pl.Series:
        """Numbers; an absent one is null."""
        raise NotImplementedError

    def integers(self, array: Array) -> pl.Series:
        """64 bits each; an absent one is null."""
        raise NotImplementedError

    def other(self, name: str, raw: Any) -> AttributeValue:
        """A value that is no scalar, out of the column `name`; UnreadableError when it is none."""
        raise NotImplementedError

    def parts(self, resource: Any, scope: Any) -> tuple[Object, Object]:
        """A resource and a scope as the walk over records reads them."""
        raise NotImplementedError

    def records(
        self, resources: Array, groups: str, name: str
    ) -> tuple[Array, pl.Series, list[Scope]]:
        """The records `name` in the `groups` of all resources, the scope of each, the scopes."""
        scopes = resources.field(groups)
        scope_rows = scopes.flatten()
        of_resource = pc.list_parent_indices(scopes)
        if begins(series(of_resource)).sum() < len(resources):
            raise OddError  # a resource without scopes is looked into by the walk alone
        found = scope_rows.field(name)
        outer = self.texts_of(resources.field("resource"))
        inner = self.texts_of(scope_rows.field("scope"))
        known: dict[tuple[Any, Any], int] = {}
        index = [
            known.setdefault((outer[at], scope), len(known))
            for at, scope in zip(of_resource.to_pylist(), inner, strict=True)
        ]
        places = pl.Series("scope", index, dtype=pl.UInt32)
        owner = series(pc.list_parent_indices(found))
        return found.flatten(), places[owner], [self._scope(pair) for pair in known]

    def texts_of(self, array: Array) -> list[Any]:
        """Resources or scopes, each as what tells it from others."""
        raise NotImplementedError

    def _scope(self, pair: tuple[Any, Any]) -> Scope:
        known = self._scopes.get(pair)
        if known is not None:
            return known
        self.decoding.cut = 0
        try:
            outer, inner = self.parts(*pair)
            found = scope_of(resource_of(outer, self.decoding), inner, self.decoding)
        except UnreadableError as error:
            raise OddError from error
        if len(self._scopes) >= CACHE_ENTRIES_MAX:
            self._scopes.clear()
        self._scopes[pair] = found
        return found

    def spans(self, spans: Array, scope: pl.Series, shared: list[Scope]) -> FlatSpans:
        """Flat columns of spans; raises OddError for what needs the walk over records."""
        start, end = (self._times(spans.field(f"{of}TimeUnixNano")) for of in ("start", "end"))
        if ((start == 0) & (end != 0)).any():  # the end stands in
            raise OddError
        status = spans.field("status")
        events, event_owner = _inner(spans.field("events"))
        links, link_owner = _inner(spans.field("links"))
        return FlatSpans(
            trace_id=self.trace_ids(spans.field("traceId")),
            span_id=self.span_ids(spans.field("spanId"), required=True),
            parent_span_id=self.span_ids(spans.field("parentSpanId"), required=False),
            name=_texts(spans.field("name")),
            kind=_choices(spans.field("kind"), len(KINDS), _OF_KINDS),
            start_ns=start,
            end_ns=end.set(end == 0, None),
            status=_choices(_part(status, "code"), len(STATUSES), _OF_STATUSES),
            message=_texts(_part(status, "message")),
            state=_texts(spans.field("traceState")),
            scope=scope,
            scopes=shared,
            attributes=self._map(spans.field("attributes")),
            event_owner=event_owner,
            event_time_ns=self._times(events.field("timeUnixNano")),
            event_name=_texts(events.field("name")),
            event_attributes=self._map(events.field("attributes")),
            link_owner=link_owner,
            link_trace_id=self.trace_ids(links.field("traceId")),
            link_span_id=self.span_ids(links.field("spanId"), required=True),
            link_attributes=self._map(links.field("attributes")),
        )

    def logs(self, logs: Array, scope: pl.Series, shared: list[Scope]) -> FlatLogs:
        """Flat columns of log records; raises OddError likewise."""
        places = pl.int_range(len(logs), dtype=pl.Int64, eager=True)
        return FlatLogs(
            time_ns=self._times(logs.field("timeUnixNano")),
            observed_ns=self._times(logs.field("observedTimeUnixNano")),
            trace_id=self.trace_ids(logs.field("traceId"), required=False),
            span_id=self.span_ids(logs.field("spanId"), required=False),
            severity_number=_choices(logs.field("severityNumber"), SEVERITY_COUNT, SEVERITY),
            severity_text=_texts(logs.field("severityText")),
            event_name=_texts(logs.field("eventName")),
            scope=scope,
            scopes=shared,
            attributes=self._map(logs.field("attributes")),
            body=self._values(logs.field("body"), places, repeated(BODY_KEY, len(logs))),
        )

    def _times(self, array: Array) -> pl.Series:
        times = self.integers(array).fill_null(0)
        if (times < 0).any():
            raise OddError
        return times

    def _map(self, lists: Array) -> FlatMap:
        pairs, owner = _inner(lists)
        keys = series(pairs.field("key"))
        if keys.null_count():
            raise OddError
        return self._values(pairs.field("value"), owner, keys)

    def _values(self, value: Array, owner: pl.Series, key: pl.Series) -> FlatMap:
        columns = {name: _part(value, name) for name in (*SCALARS, *OTHERS)}
        others: dict[int, AttributeValue] = {}
        for name in OTHERS:
            column = columns[name]
            if column.null_count == len(column):
                continue
            places = pc.indices_nonzero(column.is_valid())
            raws = column.take(places).to_pylist()
            for at, raw in zip(places.to_pylist(), raws, strict=True):
                if at in others:
                    raise OddError
                others[at] = self._other(name, raw)
        found = FlatMap(
            owner=owner,
            key=key,
            text=series(columns["stringValue"]),
            flag=series(columns["boolValue"]),
            whole=self.integers(columns["intValue"]),
            double=series(columns["doubleValue"]),
            others=others,
        )
        _check_one_of(found)
        return found

    def _other(self, name: str, raw: Any) -> AttributeValue:
        self.decoding.cut = 0
        try:
            found = self.other(name, raw)
        except UnreadableError as error:
            raise OddError from error
        if self.decoding.cut:
            raise OddError
        return found


def series(array: Array) -> pl.Series:
    """An Arrow array as a column of polars."""
    found = pl.from_arrow(array)
    assert isinstance(found, pl.Series)
    return found


def _check_one_of(values: FlatMap) -> None:
    """OddError when two fields of a value are set that may have one."""
    columns = [values.text, values.flag, values.whole, values.double]
    held = [column.is_not_null() for column in columns]
    if values.others:
        nothing = pl.Series("others", [False]).new_from_index(0, values.owner.len())
        held.append(nothing.scatter(list(values.others), True))
    if sum(int(one.sum()) for one in held) != int(reduce(or_, held).sum()):
        raise OddError


def _part(struct: Array, name: str) -> Array:
    """A field of structures, null where the structure is."""
    return pc.struct_field(struct, [struct.type.get_field_index(name)])


def _inner(lists: Array) -> tuple[Array, pl.Series]:
    """The elements of all lists, and the place of the list each stands in."""
    return lists.flatten(), series(pc.list_parent_indices(lists)).cast(pl.Int64)


def _texts(array: Array) -> pl.Series:
    found = series(array)
    return found.fill_null("") if found.null_count() else found


def _choices(array: Array, count: int, names: tuple[Mapping[str, int], str, str]) -> pl.Series:
    """Numbers of an enumeration, whether written so or by name."""
    numbers = series(array)
    if numbers.dtype == pl.String:
        written = numbers.unique().drop_nulls()
        try:
            known = {text: number_of(text, *names) for text in ("", *written.to_list())}
        except UnreadableError as error:
            raise OddError from error
        numbers = numbers.replace_strict(known, return_dtype=pl.Int64)
    numbers = numbers.fill_null(0)
    found = numbers.cast(pl.UInt32, strict=False)
    if found.null_count() or (found >= count).any() or (found != numbers).any():
        raise OddError
    return found
