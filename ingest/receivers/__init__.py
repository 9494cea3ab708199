"""Receivers: telemetry over the network into the store, durable before it is acknowledged.

In: OTLP over HTTP or gRPC, Jaeger Thrift over HTTP or UDP. Out: rows of the store. On the way:
`intake` (decode, redact), `spool` (append, flush; then the sender is told), `loader` (spool into
store). Start reading at `server.py`, which puts the parts together.
"""
