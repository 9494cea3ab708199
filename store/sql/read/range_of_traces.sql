-- Where in time the spans of these traces lie: everywhere for all, nowhere for unknown traces.
SELECT
    if($all, -9223372036854775808, coalesce(min(min_ns), 1)) AS low,
    if($all, 9223372036854775807, coalesce(max(max_ns), 0)) AS high
FROM traces
WHERE NOT $all AND trace_id IN (SELECT trace_id FROM parse_trace_ids($trace_ids))
