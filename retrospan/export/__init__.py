"""Recorded data out of the store, in forms that other programs read.

In: a store. Out: an OTLP/JSON file (spans, logs) or a folder of Parquet files (all that was
recorded). Start reading at `otlp.py` (a record as OTLP/JSON), then `otlp_file.py` and `parquet.py`.
Data is read under one short lease per part; the store may grow between two parts, which
`Exported.changed_meanwhile` tells.
"""
