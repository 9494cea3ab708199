/*
title = "How long tokens were valid, by the service whose span tells"
params = ["attributes", "longest_s"]
columns = ["service", "spans", "told", "shortest_s", "longest_s", "too_long", "trace_id", "span_id"]
*/
WITH told AS (
    SELECT
        service,
        {'t': trace_id, 's': span_id} AS id,
        try_cast(list_filter(
            [json_extract_string(
                attributes, '/' || replace(replace(name, '~', '~0'), '/', '~1'))
                FOR name IN $attributes::VARCHAR[]],
            lambda found: found IS NOT NULL
        )[1] AS DECIMAL(18, 3)) AS lifetime_s
    FROM spans
    WHERE kind IN ('client', 'server')
)

SELECT
    service,
    count(*) AS spans,
    count(lifetime_s) AS told,
    min(lifetime_s)::VARCHAR AS shortest_s,
    max(lifetime_s)::VARCHAR AS longest_s,
    count(*) FILTER (lifetime_s > $longest_s::BIGINT) AS too_long,
    trace_hex(min(id) FILTER (lifetime_s > $longest_s::BIGINT).t) AS trace_id,
    span_hex(min(id) FILTER (lifetime_s > $longest_s::BIGINT).s) AS span_id
FROM told
GROUP BY service
ORDER BY service
