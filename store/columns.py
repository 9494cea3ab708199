"""The columns of recorded data, as Arrow schemas."""

import polars as pl
import pyarrow as pa

# Texts with long offsets: what polars gives without a copy.
_TEXT, _INT, _HASH, _SMALL = pa.large_string(), pa.int64(), pa.uint64(), pa.int32()

# Columns of `spans` that copy an attribute, and its names, the first one present counts.
STATUS_COLUMN = "http_status_code"
COPIED: dict[str, tuple[str, ...]] = {
    STATUS_COLUMN: ("http.response.status_code", "http.status_code"),
    "http_method": ("http.request.method", "http.method"),
    "http_route": ("http.route",),
    "server_address": ("server.address", "net.peer.name", "http.host"),
    "db_system": ("db.system.name", "db.system"),
    "messaging_destination": ("messaging.destination.name", "messaging.destination"),
    "error_type": ("error.type",),
    "gen_ai_model": ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name"),
    "declared_flow_id": ("retrospan.flow.id",),
    "flow_name": ("retrospan.flow.name",),
    "saga_id": ("retrospan.saga.id",),
}
SPAN_SCHEMA = pa.schema(
    [
        ("trace_id", _TEXT),
        ("span_id", _HASH),
        ("parent_span_id", _HASH),
        ("name", _TEXT),
        ("kind", _TEXT),
        ("service", _TEXT),
        ("start_ns", _INT),
        ("end_ns", _INT),
        ("status", _TEXT),
        ("status_message", _TEXT),
        ("trace_state", _TEXT),
        ("scope_name", _TEXT),
        ("scope_version", _TEXT),
        ("attributes", _TEXT),
        ("resource", _TEXT),
        *((name, _INT if name == STATUS_COLUMN else _TEXT) for name in COPIED),
    ]
)
EVENT_SCHEMA = pa.schema(
    [
        ("trace_id", _TEXT),
        ("span_id", _HASH),
        ("span_start_ns", _INT),
        ("ordinal", _SMALL),
        ("time_ns", _INT),
        ("name", _TEXT),
        ("attributes", _TEXT),
    ]
)
LINK_SCHEMA = pa.schema(
    [
        ("trace_id", _TEXT),
        ("span_id", _HASH),
        ("span_start_ns", _INT),
        ("ordinal", _SMALL),
        ("linked_trace_id", _TEXT),
        ("linked_span_id", _HASH),
        ("attributes", _TEXT),
    ]
)
LOG_SCHEMA = pa.schema(
    [
        ("time_ns", _INT),
        ("observed_ns", _INT),
        ("trace_id", _TEXT),
        ("span_id", _HASH),
        ("severity_number", _SMALL),
        ("severity_text", _TEXT),
        ("event_name", _TEXT),
        ("body", _TEXT),
        ("service", _TEXT),
        ("attributes", _TEXT),
        ("resource", _TEXT),
        ("content_hash", _HASH),
    ]
)
DECISION_SCHEMA = pa.schema(
    [
        ("decision_id", _TEXT),
        ("time_ns", _INT),
        ("chosen", _TEXT),
        ("trace_id", _TEXT),
        ("span_id", _HASH),
        ("flow_id", _TEXT),
        ("seq", _INT),
        *(
            (name, _TEXT)
            for name in (
                "confidence",
                "threshold",
                "model_name",
                "model_version",
                "policy_id",
                "policy_version",
                "policy_outcome",
                "action_step_key",
                "record",
            )
        ),
        ("content_hash", _HASH),
        ("leaf_index", _INT),
    ]
)
SPAN_KEYS = pa.schema([("trace_id", _TEXT), ("span_id", _HASH)])
TIMES = pa.schema([("time_ns", _INT)])
LOG_KEYS = pa.schema([("time_ns", _INT), ("content_hash", _HASH)])
LEAVES = pa.schema(
    [("leaf_index", _INT), ("decision_id", _TEXT), ("leaf", pa.binary()), ("salt", pa.binary())]
)
DECISION_KEYS = pa.schema([("decision_id", _TEXT)])
TOUCHED = pa.schema(
    [("trace_id", _TEXT), ("start_ns", _INT), ("end_ns", _INT), ("is_new", pa.bool_())]
)
FLOW_IDS = pa.schema([("flow_id", _TEXT)])
TRACE_IDS = pa.schema([("trace_id", _TEXT)])
REJECT_SCHEMA = pa.schema(
    [
        ("content_sha256", _TEXT),
        ("reader", _TEXT),
        ("rules_sha256", _TEXT),
        ("source", _TEXT),
        ("ordinal", _SMALL),
        ("record", _TEXT),
        ("reason", _TEXT),
        ("excerpt", _TEXT),
    ]
)

_TRACE_IDS = ("trace_id", "linked_trace_id")
_JSON_TEXTS = ("attributes", "resource", "body")
_JSON = pa.json_(_TEXT)


def stored(table: pa.Table) -> pa.Table:
    """The same rows in the types of the tables they go to.

    So DuckDB neither reads ids out of texts nor looks whether JSON that we wrote is JSON.
    """
    for place, name in enumerate(table.column_names):
        column = table.column(place)
        if name in _TRACE_IDS:
            ids = pl.Series(column).str.decode("hex").to_arrow().cast(pa.binary(16))
            table = table.set_column(place, name, pa.ExtensionArray.from_storage(pa.uuid(), ids))
        elif name in _JSON_TEXTS:
            chunks = [pa.ExtensionArray.from_storage(_JSON, chunk) for chunk in column.chunks]
            table = table.set_column(place, name, pa.chunked_array(chunks, type=_JSON))
    return table
