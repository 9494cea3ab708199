-- Flows that began in a range with a span that bears this attribute, or whose resource does, with
-- this text. All their spans lie between low_ns and high_ns. A flow with as many spans as its traces
-- has all of them: no need to look for them one by one.
WITH began AS MATERIALIZED (
    SELECT
        flow_id,
        span_count,
        TRY_CAST(unnest(trace_ids) AS UUID) AS trace_id
    FROM flows
    WHERE
        ($since_ns::BIGINT IS NULL OR start_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns::BIGINT)
),

sized AS MATERIALIZED (
    SELECT
        b.flow_id,
        b.trace_id,
        b.span_count = sum(t.spans) OVER (PARTITION BY b.flow_id) AS is_whole
    FROM began AS b
    INNER JOIN traces AS t ON b.trace_id = t.trace_id
),

bearers AS MATERIALIZED (
    SELECT trace_id, span_id
    FROM spans
    WHERE
        start_ns BETWEEN $low_ns AND $high_ns
        AND (
            json_extract_string(attributes, $pointer) = $value
            OR json_extract_string(resource, $pointer) = $value
        )
),

shared AS MATERIALIZED (
    SELECT flow_id, trace_id, span_id
    FROM flow_members
    WHERE flow_id IN (SELECT flow_id FROM sized WHERE NOT is_whole)
)

SELECT flow_id
FROM sized
WHERE is_whole AND trace_id IN (SELECT trace_id FROM bearers)
UNION
SELECT s.flow_id
FROM shared AS s
INNER JOIN bearers AS b ON s.trace_id = b.trace_id AND s.span_id = b.span_id
ORDER BY flow_id
