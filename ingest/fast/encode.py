"""Flat columns into the store's own, redacted on the way."""

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from ingest.fast.flat import FlatSpans, OddError, begins, joined_maps, longest
from ingest.fast.maps import maps_of
from ingest.limits import Limits
from ingest.otlp.scopes import Scope
from ingest.otlp.spans import KINDS, STATUSES
from ingest.preparation import Preparation
from ingest.redact_columns import redacted
from store.columns import COPIED, EVENT_SCHEMA, LINK_SCHEMA, SPAN_SCHEMA, STATUS_COLUMN
from store.span_table import SpanTable
from store.values import to_json

_STATUS_TEXT = r"^[0-9]{3}$"
_CORE = [field.name for field in SPAN_SCHEMA][: SPAN_SCHEMA.get_field_index("resource") + 1]


def encode(flat: FlatSpans, prepare: Preparation, limits: Limits) -> SpanTable:
    """The rows of all spans; raises OddError for what needs the walk over records."""
    count = flat.trace_id.len()
    for owners, limit in (
        (flat.event_owner, limits.events_per_span),
        (flat.link_owner, limits.links_per_span),
    ):
        if longest(begins(owners)) > limit:
            raise OddError
    events, links = flat.event_owner.len(), flat.link_owner.len()
    # Each step costs more to begin than to do for a small request: so all maps are one, all texts.
    every = joined_maps(
        [(flat.attributes, count), (flat.event_attributes, events), (flat.link_attributes, links)]
    )
    maps = maps_of(every, count + events + links, prepare, limits)
    texts = redacted(
        pl.concat([flat.name, flat.message, flat.state, flat.event_name]), prepare.redactor
    )
    core = _core(flat, maps.texts[:count], texts, prepare)
    spans = core.hstack(_copies(maps.copied.filter(pl.col("owner") < count), count))
    return SpanTable(
        spans=arrow_of(spans, SPAN_SCHEMA),
        events=arrow_of(
            _events(flat, core, texts[3 * count :], maps.texts[count : count + events]),
            EVENT_SCHEMA,
        ),
        links=arrow_of(_links(flat, core, maps.texts[count + events :]), LINK_SCHEMA),
        event_owner=flat.event_owner,
        link_owner=flat.link_owner,
    )


def _core(
    flat: FlatSpans, attributes: pl.Series, texts: pl.Series, prepare: Preparation
) -> pl.DataFrame:
    count = flat.trace_id.len()
    inherited = shared_columns(flat.scopes, prepare)[flat.scope]
    kinds, statuses = pl.Series("kinds", KINDS), pl.Series("statuses", STATUSES)
    columns = {
        "trace_id": flat.trace_id,
        "span_id": flat.span_id,
        "parent_span_id": flat.parent_span_id,
        "name": texts[:count],
        "kind": kinds[flat.kind],
        "service": inherited["service"],
        "start_ns": flat.start_ns,
        "end_ns": flat.end_ns,
        "status": statuses[flat.status],
        "status_message": texts[count : 2 * count],
        "trace_state": texts[2 * count : 3 * count],
        "scope_name": inherited["scope_name"],
        "scope_version": inherited["scope_version"],
        "attributes": attributes,
        "resource": inherited["resource"],
    }
    return pl.DataFrame(columns)[_CORE]


def shared_columns(scopes: Sequence[Scope], prepare: Preparation) -> pl.DataFrame:
    """What the records of each scope share: service, scope_name, scope_version, resource."""
    names = ["service", "scope_name", "scope_version", "resource"]
    shared = [_shared(scope, prepare) for scope in scopes]
    return pl.DataFrame(shared, schema=dict.fromkeys(names, pl.String), orient="row")


def _shared(scope: Scope, prepare: Preparation) -> tuple[str, str, str, str]:
    if scope.attributes:  # they go into each span's own
        raise OddError
    service, recorded, name, version = scope.service, scope.resource, scope.name, scope.version
    if prepare.redactor is not None:
        name, version = prepare.redactor.text(name), prepare.redactor.text(version)
    resource = prepare.shared(recorded)
    named = resource.get("service.name")
    if resource is not recorded and isinstance(named, str) and named:
        service = named
    return service, name, version, to_json(resource)


def _parts(core: pl.DataFrame, owner: pl.Series) -> dict[str, pl.Series]:
    """The columns by which an event or a link names its span, and its place among its kind."""
    place = pl.int_range(owner.len(), dtype=pl.Int32, eager=True)
    first = place.set(~begins(owner), None).forward_fill()
    return {
        "trace_id": core["trace_id"][owner],
        "span_id": core["span_id"][owner],
        "span_start_ns": core["start_ns"][owner],
        "ordinal": place - first,
    }


def _events(
    flat: FlatSpans, core: pl.DataFrame, names: pl.Series, attributes: pl.Series
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            **_parts(core, flat.event_owner),
            "time_ns": flat.event_time_ns,
            "name": names,
            "attributes": attributes,
        }
    )


def _links(flat: FlatSpans, core: pl.DataFrame, attributes: pl.Series) -> pl.DataFrame:
    return pl.DataFrame(
        {
            **_parts(core, flat.link_owner),
            "linked_trace_id": flat.link_trace_id,
            "linked_span_id": flat.link_span_id,
            "attributes": attributes,
        }
    )


def _copies(copied: pl.DataFrame, count: int) -> pl.DataFrame:
    """The columns that copy attributes, as `store.rows` fills them."""
    by_name = copied.partition_by("name", as_dict=True, include_key=False)
    columns = {}
    for column, names in COPIED.items():
        kind: type[pl.DataType] = pl.Int64 if column == STATUS_COLUMN else pl.String
        values = pl.Series(column, [None], dtype=kind).new_from_index(0, count)
        for name in reversed(names):
            part = by_name.get((name,))
            if part is None:
                continue
            found = part["text"]
            if column == STATUS_COLUMN:
                code = found.str.extract(f"({_STATUS_TEXT})").cast(pl.Int64)
                found = part.select(pl.coalesce("whole", code)).to_series()
            there = found.is_not_null()
            values = values.scatter(part["owner"].filter(there), found.filter(there))
        columns[column] = values
    return pl.DataFrame(columns)


def arrow_of(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """The columns of a schema, out of a frame that has them."""
    found = frame[schema.names].to_arrow(compat_level=pl.CompatLevel.oldest())
    return found if found.schema.equals(schema) else found.cast(schema)
