-- Flows in scope, or those of them that are named, with what pages count and list; latest first.
-- Named ones are read by row number: only the column that chooses is read as a whole. The other
-- conditions are those of heads_within.
WITH chosen AS (
    SELECT *
    FROM flow_heads
    WHERE
        (
            $flow_ids::VARCHAR[] IS NULL
            OR rowid IN (
                SELECT rowid FROM flow_heads WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
            )
        )
        AND ($since_ns::BIGINT IS NULL OR start_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns::BIGINT)
        AND ($environment::VARCHAR IS NULL OR list_contains(environments, $environment::VARCHAR))
        AND ($services::VARCHAR[] IS NULL OR list_has_any(services, $services::VARCHAR[]))
),

controls AS (
    SELECT flow_id, min(verdict) AS replay
    FROM replays
    WHERE scenario IS NULL AND mode = 'trace' AND flow_id IN (SELECT flow_id FROM chosen)
    GROUP BY flow_id
)

SELECT
    c.*,
    c.end_ns - c.start_ns AS duration_ns,
    r.replay
FROM chosen AS c
LEFT JOIN controls AS r ON c.flow_id = r.flow_id
ORDER BY c.start_ns DESC, c.flow_id
