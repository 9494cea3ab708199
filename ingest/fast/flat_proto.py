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
# Field numbers are OTLP's. A capital names a message, `*` a list, `?` a field of a oneof.
_MESSAGES: dict[str, dict[int, tuple[str, str]]] = {
    "Value": {
        1: ("text", "?text"),
        2: ("flag", "?bool"),
        3: ("whole", "?int"),
        4: ("double", "?double"),
        5: ("array", "?bytes"),
        6: ("map", "?bytes"),
        7: ("bytes", "?bytes"),
    },
    "Pair": {1: ("key", "text"), 2: ("value", "Value")},
    "Event": {1: ("time", "time"), 2: ("name", "text"), 3: ("attributes", "*Pair")},
    "Link": {
        1: ("trace", "bytes"),
        2: ("span", "bytes"),
        3: ("state", "text"),
        4: ("attributes", "*Pair"),
    },
    "Status": {2: ("message", "text"), 3: ("code", "enum")},
    "Span": {
        1: ("trace", "bytes"),
        2: ("span", "bytes"),
        3: ("state", "text"),
        4: ("parent", "bytes"),
        5: ("name", "text"),
        6: ("kind", "enum"),
        7: ("start", "time"),
        8: ("end", "time"),
        9: ("attributes", "*Pair"),
        11: ("events", "*Event"),
        13: ("links", "*Link"),
        15: ("status", "Status"),
    },
    "Scope": {1: ("scope", "bytes"), 2: ("spans", "*Span"), 3: ("schema", "text")},
    "Resource": {1: ("resource", "bytes"), 2: ("scopes", "*Scope"), 3: ("schema", "text")},
    "Traces": {1: ("resources", "*Resource")},
    "Log": {
        1: ("time", "time"),
        2: ("severity", "enum"),
        3: ("severity_text", "text"),
        5: ("body", "Value"),
        6: ("attributes", "*Pair"),
        9: ("trace", "bytes"),
        10: ("span", "bytes"),
        11: ("observed", "time"),
        12: ("event", "text"),
    },
    "LogScope": {1: ("scope", "bytes"), 2: ("logs", "*Log"), 3: ("schema", "text")},
    "LogResource": {1: ("resource", "bytes"), 2: ("scopes", "*LogScope"), 3: ("schema", "text")},
    "Logs": {1: ("resources", "*LogResource")},
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
