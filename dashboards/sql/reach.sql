-- Where in time lies what belongs to the flows that began in a range: no step before first_ns, all
-- spans between low_ns and high_ns. Other questions then pass by all other times.
WITH began AS (
    SELECT flow_id, first_ns
    FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, NULL::VARCHAR, NULL::VARCHAR[])
),

held AS (
    SELECT TRY_CAST(unnest(trace_ids) AS UUID) AS trace_id
    FROM flows
    WHERE
        ($since_ns::BIGINT IS NULL OR start_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns::BIGINT)
),

spread AS (
    SELECT
        min(min_ns) AS low_ns,
        max(max_ns) AS high_ns
    FROM traces
    WHERE trace_id IN (SELECT trace_id FROM held)
)

SELECT
    coalesce((SELECT min(first_ns) FROM began), 1) AS first_ns,
    coalesce(low_ns, 1) AS low_ns,
    coalesce(high_ns, 0) AS high_ns
FROM spread
ORDER BY ALL
