"""OTLP as JSON, decoded into the shared records.

In: one decoded document. Out: spans, log records, rejected records, a count of metric points.
Start reading at `documents.py` (the way through a document), then `spans.py`, `logs.py`;
`values.py` decodes attributes, times and enumerations of every dialect.
"""
