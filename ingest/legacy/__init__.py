"""Tracing formats from before OpenTelemetry, decoded into the shared records.

In: decoded JSON, or the bytes of Jaeger's Thrift. Out: spans and rejected records. Start reading
at `values.py` (ids, times, attributes of all of them) and `jaeger_spans.py` (one Jaeger span,
however it was written); `heads.py` tells the JSON formats apart, `walking.py` goes through them.
"""
