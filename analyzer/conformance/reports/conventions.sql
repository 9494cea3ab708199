/*
title = "How many spans of each service bear an attribute as a convention asks"
params = ["pointer", "on_resource", "kind", "pattern"]
columns = ["service", "spans", "bearing", "fitting", "trace_id", "span_id"]
*/
WITH asked AS (
    SELECT
        service,
        {'t': trace_id, 's': span_id} AS id,
        CASE
            WHEN $on_resource THEN json_extract_string(resource, $pointer::VARCHAR)
            ELSE json_extract_string(attributes, $pointer::VARCHAR)
        END AS value
    FROM spans
    WHERE $kind = '' OR kind = $kind
)

SELECT
    service,
    count(*) AS spans,
    count(value) AS bearing,
    count(*) FILTER (value IS NOT NULL AND ($pattern = '' OR regexp_full_match(value, $pattern)))
        AS fitting,
    trace_hex(min(id) FILTER (
        value IS NULL OR ($pattern <> '' AND NOT regexp_full_match(value, $pattern))
    ).t) AS trace_id,
    span_hex(min(id) FILTER (
        value IS NULL OR ($pattern <> '' AND NOT regexp_full_match(value, $pattern))
    ).s) AS span_id
FROM asked
GROUP BY service
ORDER BY service
