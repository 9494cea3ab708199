-- Flows that began in a range with a span that bears this attribute, or whose resource does, with
-- this text. All their spans lie between low_ns and high_ns.
WITH bearers AS MATERIALIZED (
    SELECT trace_id, span_id
    FROM spans
    WHERE
        start_ns BETWEEN $low_ns AND $high_ns
        AND (
            json_extract_string(attributes, $pointer) = $value
            OR json_extract_string(resource, $pointer) = $value
        )
)

SELECT DISTINCT m.flow_id
FROM bearers AS b
INNER JOIN flow_members AS m ON b.trace_id = m.trace_id AND b.span_id = m.span_id
WHERE
    m.flow_id IN (
        SELECT flow_id
        FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, NULL::VARCHAR, NULL::VARCHAR[])
    )
ORDER BY m.flow_id
