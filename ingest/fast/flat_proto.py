"""OTLP messages, their shared or recursive parts left as bytes, for decoding to Arrow."""

from functools import cache
from typing import Any

import ptars
from google.protobuf import descriptor_pb2, descriptor_pool

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "retrospan.flat"
_TYPES = {
    "text": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "int": _Field.TYPE_INT64,
    "enum": _Field.TYPE_INT32,
    "double": _Field.TYPE_DOUBLE,
    "bool": _Field.TYPE_BOOL,
    "time": _Field.TYPE_FIXED64,
}
# Texts that nobody reads stand here too: one that is no UTF-8 makes the whole message unreadable.
# Numbers and names are OTLP's. A capital names a message, `*` a list, `?` a field of a oneof.
_MESSAGES: dict[str, dict[int, tuple[str, str]]] = {
    "Value": {
        1: ("stringValue", "?text"),
        2: ("boolValue", "?bool"),
        3: ("intValue", "?int"),
        4: ("doubleValue", "?double"),
        5: ("arrayValue", "?bytes"),
        6: ("kvlistValue", "?bytes"),
        7: ("bytesValue", "?bytes"),
    },
    "Pair": {1: ("key", "text"), 2: ("value", "Value")},
    "Event": {1: ("timeUnixNano", "time"), 2: ("name", "text"), 3: ("attributes", "*Pair")},
    "Link": {
        1: ("traceId", "bytes"),
        2: ("spanId", "bytes"),
        3: ("traceState", "text"),
        4: ("attributes", "*Pair"),
    },
    "Status": {2: ("message", "text"), 3: ("code", "enum")},
    "Span": {
        1: ("traceId", "bytes"),
        2: ("spanId", "bytes"),
        3: ("traceState", "text"),
        4: ("parentSpanId", "bytes"),
        5: ("name", "text"),
        6: ("kind", "enum"),
        7: ("startTimeUnixNano", "time"),
        8: ("endTimeUnixNano", "time"),
        9: ("attributes", "*Pair"),
        11: ("events", "*Event"),
        13: ("links", "*Link"),
        15: ("status", "Status"),
    },
    "Scope": {1: ("scope", "bytes"), 2: ("spans", "*Span"), 3: ("schemaUrl", "text")},
    "Resource": {1: ("resource", "bytes"), 2: ("scopeSpans", "*Scope"), 3: ("schemaUrl", "text")},
    "Traces": {1: ("resourceSpans", "*Resource")},
    "Log": {
        1: ("timeUnixNano", "time"),
        2: ("severityNumber", "enum"),
        3: ("severityText", "text"),
        5: ("body", "Value"),
        6: ("attributes", "*Pair"),
        9: ("traceId", "bytes"),
        10: ("spanId", "bytes"),
        11: ("observedTimeUnixNano", "time"),
        12: ("eventName", "text"),
    },
    "LogScope": {1: ("scope", "bytes"), 2: ("logRecords", "*Log"), 3: ("schemaUrl", "text")},
    "LogResource": {
        1: ("resource", "bytes"),
        2: ("scopeLogs", "*LogScope"),
        3: ("schemaUrl", "text"),
    },
    "Logs": {1: ("resourceLogs", "*LogResource")},
}


def handler_of(message: str) -> Any:
    """What turns messages, "Traces" or "Logs", into a record batch with one row per message."""
    handlers, types = _handlers()
    return handlers.get_for_message(types[message])


@cache
def _handlers() -> tuple[Any, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="retrospan/flat.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (called, kind) in fields.items():
            field = message.field.add(name=called, number=number)
            field.label = _Field.LABEL_REPEATED if kind[0] == "*" else _Field.LABEL_OPTIONAL
            bare = kind.lstrip("*?")
            if bare in _TYPES:
                field.type = _TYPES[bare]
            else:
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{bare}"
            if kind[0] == "?":
                field.oneof_index = 0
        if any(kind[0] == "?" for _, kind in fields.values()):
            message.oneof_decl.add(name="value")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindFileByName(file.name)
    return ptars.HandlerPool([found]), found.message_types_by_name
