"""Spans and log records column by column, without a record for each.

In: pieces of OTLP. Out: the store's own columns (`store.span_table`, `store.log_table`), equal to
what the walk over records gives, row by row. What is odd in any way is left to that walk, as
`OddError` says. Start reading at `flat.py` (the shape in between), then `protobuf.py`, `json.py`
(into it), `encode.py`, `logs.py` (out of it).
"""
