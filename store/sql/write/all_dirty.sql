INSERT INTO dirty_traces
SELECT t.trace_id, (SELECT generation FROM store_meta)
FROM traces AS t
ANTI JOIN dirty_traces AS d ON t.trace_id = d.trace_id
