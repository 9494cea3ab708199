SELECT
    (SELECT generation FROM store_meta) AS generation,
    (
        SELECT coalesce(list(trace_hex(trace_id) ORDER BY trace_id), [])
        FROM dirty_traces
    ) AS trace_ids
