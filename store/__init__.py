"""The shared records, and the only owner of DuckDB.

In: frozen records (`store.model`) from readers and analyses. Out: the same records, or polars
frames from `.sql` questions. Start reading at `model.py` (what a span, a flow, a verdict is), then
`lease.py` (who may open the file), `write.py`, `read.py` and `query.py`. Records become rows in
`rows.py`, `flow_rows.py` and `conclusion_rows.py`; tables and statements are in `sql/`.
"""
