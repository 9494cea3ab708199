INSERT INTO dirty_traces
SELECT trace_id, (SELECT generation FROM store_meta)
FROM traces
