"""Spans column by column, without a record per span.

In: pieces of OTLP. Out: the store's own columns (`store.span_table`), equal to what the walk over
records gives, row by row. What is odd in any way is left to that walk: `OddError` says so. Start
reading at `flat.py` (the shape in between), then `protobuf.py`, `json.py` (into it), `encode.py`.
"""
