"""OTLP JSON documents into flat columns, by way of Arrow.

The decoder takes what it knows and leaves out the rest in silence; nothing may be lost. So all keys
in the text are counted, and all values that were decoded: where the numbers differ, a key was not
known there, stood twice, or held null, and the walk over records reads the documents.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from arro3.io import read_json

from ingest.fast import json_schema
from ingest.fast.decoded import OTHERS, SCALARS, Array, FlatDecoded, series
from ingest.fast.flat import FlatLogs, FlatSpans, OddError
from ingest.otlp.values import Object, UnreadableError, value_of
from ingest.otlp.wire import LOGS, TRACES
from store.model import AttributeValue

WHOLE_BYTES_MAX = 16 * 1024 * 1024  # a larger document is read resource by resource, by the walk

_raw = msgspec.json.Decoder(msgspec.Raw).decode
_plain = msgspec.json.Decoder().decode
_SIGNAL = re.compile(rb'\s*\{\s*"resource(Spans|Logs)"').match
_COLON, _QUOTE, _BACKSLASH, _SPACE, _U = b':"\\ u'
# Escapes that the decoder misreads: letters past U+1FFFF, such as \ud840\udc00 (U+20000).
_MISREAD = re.compile(rb"\\u[dD][89abAB][4-7c-fC-F]").search
_SPACED_KEY = re.compile(rb'[^\\]"\s+:').search
# An integer of which the decoder would cut something off, where it reads numbers: 1.5, 1e3.
_CUT_INTEGER = r'(?:intValue|UnixNano)"\s*:\s*"?-?[0-9]*[^0-9",}\]\s-]'


def signal_in(document: bytes) -> str:
    """What sound JSON tells of, spans or log records alone; OddError when it may be another."""
    found = _SIGNAL(document) if len(document) <= WHOLE_BYTES_MAX else None
    if found is None:
        raise OddError
    try:
        _raw(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise OddError from error
    return TRACES if found[1] == b"Spans" else LOGS


class FlatJson(FlatDecoded):
    """Flattens documents that `signal_in` knows; keeps the resources and scopes it met."""

    def flat(self, documents: Sequence[bytes]) -> FlatSpans:
        """All spans; raises OddError for what needs the walk over records."""
        resources = _resources(documents, json_schema.TRACES)
        return self.spans(*self.records(resources, "scopeSpans", "spans"))

    def flat_logs(self, documents: Sequence[bytes]) -> FlatLogs:
        """All log records; raises OddError likewise."""
        resources = _resources(documents, json_schema.LOGS)
        return self.logs(*self.records(resources, "scopeLogs", "logRecords"))

    def texts_of(self, array: Array) -> list[Any]:
        """Resources or scopes as JSON, which has no number for NaN and infinity."""
        if not _is_finite(array):
            raise OddError
        return series(array).struct.json_encode().to_list()

    def parts(self, resource: Any, scope: Any) -> tuple[Object, Object]:
        """A resource and a scope as the walk over records reads them."""
        outer, inner = (_plain(text) if text else None for text in (resource, scope))
        return {"resource": outer}, {"scope": inner}

    def other(self, name: str, raw: Any) -> AttributeValue:
        """An array, a map or bytes; null are those fields of a value that it does not have."""
        _check_one_of(raw)
        return value_of({name: raw}, self.decoding, 0)

    def integers(self, array: Array) -> pl.Series:
        """64 bits each, written as digits or as numbers."""
        found = series(array)
        numbers = found.cast(pl.Int64, strict=False)
        if numbers.null_count() != found.null_count():
            raise OddError
        return numbers

    def trace_ids(self, array: Array, *, required: bool = True) -> pl.Series:
        """Hex in lower case; an absent one is null."""
        return _ids(array, 32, required)

    def span_ids(self, array: Array, *, required: bool) -> pl.Series:
        """Numbers; an absent one is null."""
        ids = _ids(array, 16, required).str.decode("hex")
        return ids.bin.reinterpret(dtype=pl.UInt64, endianness="big")


def _resources(documents: Sequence[bytes], schemas: Sequence[pa.Schema]) -> Array:
    """The resources of all documents; OddError when their text holds more than was decoded."""
    text = b"\n".join(documents)
    if _has_misread(text):
        raise OddError
    (decoded,) = _decoded(text, schemas, len(documents)).column(0).chunks
    resources = decoded.flatten()
    if resources.null_count:
        raise OddError
    if len(decoded) - decoded.null_count + _values_in(resources) != _keys_in(text):
        raise OddError
    return resources


def _decoded(text: bytes, schemas: Sequence[pa.Schema], rows: int) -> pa.Table:
    """By the first schema that fits all documents."""
    for schema in schemas:
        if schema is schemas[1] and _has_cut_integers(text):
            break
        with suppress(pa.ArrowException):
            reader = read_json(text, schema, batch_size=rows)
            return pa.RecordBatchReader.from_stream(reader).read_all()
    raise OddError


def _has_cut_integers(text: bytes) -> bool:
    return bool(pl.Series([text.decode("utf-8", "replace")]).str.contains(_CUT_INTEGER).any())


def _values_in(array: Array) -> int:
    """How many keys of objects the decoder found a value for; a null in a list is odd."""
    kind = array.type
    if pa.types.is_list(kind):
        values = array.flatten()
        if values.null_count:
            raise OddError
        return _values_in(values)
    if not pa.types.is_struct(kind):
        return 0
    fields = [array.field(at) for at in range(kind.num_fields)]
    return sum(len(field) - field.null_count + _values_in(field) for field in fields)


def _is_finite(array: Array) -> bool:
    """Whether every double, at any depth, is a number that JSON can hold."""
    kind = array.type
    if pa.types.is_floating(kind):
        return bool(pc.all(pc.is_finite(array), min_count=0).as_py())
    if pa.types.is_list(kind):
        return _is_finite(array.flatten())
    fields = range(kind.num_fields) if pa.types.is_struct(kind) else ()
    return all(_is_finite(array.field(at)) for at in fields)


def _keys_in(text: bytes) -> int:
    """How many keys all objects of sound JSON have.

    A colon outside of strings follows a key. One inside may follow a quote too, but that quote has
    a backslash before it. (So has the end of a key that ends in one: no name of OTLP's does.)
    """
    data = _bytes_of(text)
    is_colon = data.slice(2) == _COLON
    before = data.slice(1, len(text) - 2)
    if (is_colon & (before <= _SPACE)).any() and _SPACED_KEY(text):
        raise OddError
    escaped = data.slice(0, len(text) - 2) == _BACKSLASH
    return int((is_colon & (before == _QUOTE) & ~escaped).sum())


def _has_misread(text: bytes) -> bool:
    data = _bytes_of(text)
    has_escape = (data.slice(0, len(text) - 1) == _BACKSLASH) & (data.slice(1) == _U)
    return bool(has_escape.any()) and _MISREAD(text) is not None


def _bytes_of(text: bytes) -> pl.Series:
    return pl.Series(pa.Array.from_buffers(pa.uint8(), len(text), [None, pa.py_buffer(text)]))


def _check_one_of(raw: Any) -> None:
    """UnreadableError when a value within this one has two fields; the walk knows their order."""
    if isinstance(raw, list):
        for item in raw:
            _check_one_of(item)
    elif isinstance(raw, dict):
        values = [raw.get(name) for name in (*SCALARS, *OTHERS)]
        if len(values) - values.count(None) > 1:
            raise UnreadableError
        for item in raw.values():
            _check_one_of(item)


def _ids(array: Array, digits: int, required: bool) -> pl.Series:
    ids = series(array).str.to_lowercase()
    absent = ids.is_null() | (ids == "") | (ids == "0" * digits)
    if required and absent.any():
        raise OddError
    if not (absent | ids.str.contains(f"^[0-9a-f]{{{digits}}}$")).all():
        raise OddError
    return ids.set(absent, None)
