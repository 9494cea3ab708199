"""Flat log records into the store's own columns, redacted on the way."""

from collections.abc import Sequence

import polars as pl

from ingest import conventions
from ingest.fast.encode import arrow_of, shared_columns
from ingest.fast.flat import (
    BODY_KEY,
    FlatLogs,
    FlatMap,
    OddError,
    begins,
    joined_maps,
    repeated,
)
from ingest.fast.maps import maps_of
from ingest.genai import is_answer
from ingest.limits import Limits
from ingest.preparation import Preparation
from ingest.redact_columns import redacted
from ingest.redact_text import PLAIN
from store.columns import LOG_SCHEMA
from store.log_table import LogTable
from store.rows import content_hash

_BEFORE_BODY, _AFTER_BODY = '{"":', "}"


def encode_logs(flat: FlatLogs, prepare: Preparation, limits: Limits) -> LogTable:
    """The rows of all log records; raises OddError for what needs the walk over records."""
    count = flat.scope.len()
    events = _events(flat)
    if prepare.redactor is not None and prepare.redactor.rule(BODY_KEY)[0] != PLAIN:
        raise OddError
    # A record's own name of the scope comes later, and of a repeated name the last one counts.
    every = joined_maps(
        [(_scope_names(flat), 0), (flat.attributes, count), (flat.body, count)],
    )
    texts = maps_of(every, 2 * count, prepare, limits).texts
    bodies = texts[count:].str.strip_prefix(_BEFORE_BODY).str.strip_suffix(_AFTER_BODY)
    inherited = shared_columns(flat.scopes, prepare)[flat.scope]
    absent = flat.time_ns == 0, flat.observed_ns == 0
    columns = {
        "time_ns": flat.time_ns.zip_with(~absent[0], flat.observed_ns),
        "observed_ns": flat.observed_ns.zip_with(~absent[1], flat.time_ns),
        "trace_id": flat.trace_id,
        "span_id": flat.span_id,
        "severity_number": flat.severity_number.cast(pl.Int32),
        "severity_text": redacted(flat.severity_text, prepare.redactor),
        "event_name": redacted(events, prepare.redactor),
        "body": bodies,
        "service": inherited["service"],
        "attributes": texts[:count],
        "resource": inherited["resource"],
    }
    rows = zip(*(column.to_list() for column in columns.values()), strict=True)
    hashes = pl.Series("content_hash", list(map(content_hash, rows)), dtype=pl.UInt64)
    return LogTable(arrow_of(pl.DataFrame({**columns, "content_hash": hashes}), LOG_SCHEMA))


def _events(flat: FlatLogs) -> pl.Series:
    """What each record says it is the event of, in its own field or, as before, an attribute."""
    pairs = flat.attributes
    told = (pairs.key == conventions.EVENT_NAME[0]).arg_true()
    event = flat.event_name
    if told.len():
        owner, text = pairs.owner[told], pairs.text[told].fill_null("")
        is_last = begins(owner).slice(1).extend_constant(True, 1)
        told_by = repeated("", event.len()).scatter(owner.filter(is_last), text.filter(is_last))
        event = event.zip_with(event != "", told_by)
    if any(map(is_answer, event.unique().to_list())):  # a decision, which is told from records
        raise OddError
    return event


def _scope_names(flat: FlatLogs) -> FlatMap:
    names = pl.Series("names", [scope.name for scope in flat.scopes], dtype=pl.String)[flat.scope]
    named = names != ""
    text = names.filter(named)
    return FlatMap(
        owner=named.arg_true().cast(pl.Int64),
        key=repeated(conventions.SCOPE_NAME, text.len()),
        text=text,
        flag=_nothing(text.len(), pl.Boolean()),
        whole=_nothing(text.len(), pl.Int64()),
        double=_nothing(text.len(), pl.Float64()),
        others={},
    )


def _nothing(count: int, kind: pl.DataType) -> pl.Series:
    nothing: Sequence[None] = [None]
    return pl.Series("nothing", nothing, dtype=kind).new_from_index(0, count)
