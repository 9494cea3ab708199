-- Where in time the spans of these traces lie; everywhere for all.
SELECT
    coalesce(min(min_ns), -9223372036854775808) AS low,
    coalesce(max(max_ns), 9223372036854775807) AS high
FROM traces
WHERE NOT $all AND trace_id IN (SELECT trace_id FROM parse_trace_ids($trace_ids))
