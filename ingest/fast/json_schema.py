"""The one dialect of OTLP JSON that is decoded into columns, as Arrow schemas."""

import pyarrow as pa

_TEXT, _FLAG, _DOUBLE = pa.string(), pa.bool_(), pa.float64()
NESTING_MAX = 2  # of arrays and maps in values; a deeper one is odd


def _struct(**fields: pa.DataType) -> pa.DataType:
    return pa.struct(list(fields.items()))


def _value(integer: pa.DataType, depth: int) -> pa.DataType:
    nested = {}
    if depth:
        inner = _value(integer, depth - 1)
        pairs = pa.list_(_struct(key=_TEXT, value=inner))
        nested = {
            "arrayValue": _struct(values=pa.list_(inner)),
            "kvlistValue": _struct(values=pairs),
        }
    return _struct(
        stringValue=_TEXT,
        boolValue=_FLAG,
        intValue=integer,
        doubleValue=_DOUBLE,
        bytesValue=_TEXT,
        **nested,
    )


def _resources(
    integer: pa.DataType, signal: str, scopes: str, name: str, record: pa.DataType
) -> pa.Schema:
    attributes = _attributes(integer)
    scope = _struct(name=_TEXT, version=_TEXT, **attributes)
    group = _struct(scope=scope, **{name: pa.list_(record)}, schemaUrl=_TEXT)
    resource = _struct(resource=_struct(**attributes), **{scopes: pa.list_(group)}, schemaUrl=_TEXT)
    return pa.schema([(signal, pa.list_(resource))])


def _attributes(integer: pa.DataType) -> dict[str, pa.DataType]:
    pairs = pa.list_(_struct(key=_TEXT, value=_value(integer, NESTING_MAX)))
    return {"attributes": pairs, "droppedAttributesCount": _DOUBLE}


def _traces(integer: pa.DataType, choice: pa.DataType) -> pa.Schema:
    attributes = _attributes(integer)
    event = _struct(name=_TEXT, timeUnixNano=integer, **attributes)
    link = _struct(traceId=_TEXT, spanId=_TEXT, traceState=_TEXT, flags=_DOUBLE, **attributes)
    span = _struct(
        traceId=_TEXT,
        spanId=_TEXT,
        parentSpanId=_TEXT,
        traceState=_TEXT,
        flags=_DOUBLE,
        name=_TEXT,
        kind=choice,
        startTimeUnixNano=integer,
        endTimeUnixNano=integer,
        **attributes,
        events=pa.list_(event),
        droppedEventsCount=_DOUBLE,
        links=pa.list_(link),
        droppedLinksCount=_DOUBLE,
        status=_struct(code=choice, message=_TEXT),
    )
    return _resources(integer, "resourceSpans", "scopeSpans", "spans", span)


def _logs(integer: pa.DataType, choice: pa.DataType) -> pa.Schema:
    log = _struct(
        timeUnixNano=integer,
        observedTimeUnixNano=integer,
        severityNumber=choice,
        severityText=_TEXT,
        body=_value(integer, NESTING_MAX),
        **_attributes(integer),
        traceId=_TEXT,
        spanId=_TEXT,
        eventName=_TEXT,
        flags=_DOUBLE,
    )
    return _resources(integer, "resourceLogs", "scopeLogs", "logRecords", log)


# Integers are texts, as OTLP says, or may be numbers; enumerations are numbers or names.
_DIALECTS = ((_TEXT, _DOUBLE), (pa.int64(), _DOUBLE), (_TEXT, _TEXT), (pa.int64(), _TEXT))
TRACES = [_traces(*dialect) for dialect in _DIALECTS]
LOGS = [_logs(*dialect) for dialect in _DIALECTS]
