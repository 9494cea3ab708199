-- The counts of the Overview's cards over the flows in scope.
WITH chosen AS (
    SELECT
        *,
        outcome IN (
            'succeeded', 'compensated', 'partially_compensated', 'compensation_failed', 'failed'
        ) AS ended,
        outcome IN ('succeeded', 'compensated') AND coalesce(verdict <> 'violation', true) AS well,
        has_saga
        AND (
            effects > 0
            OR outcome IN ('compensation_failed', 'partially_compensated', 'in_progress', 'unknown')
        ) AS stuck
    FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
),

replayed AS (
    SELECT
        count(*) AS replayed,
        count(*) FILTER (WHERE verdict = 'identical') AS identical
    FROM (
        SELECT r.flow_id, min(r.verdict) AS verdict
        FROM replays AS r
        WHERE
            r.scenario IS NULL
            AND r.mode = 'trace'
            AND r.flow_id IN (SELECT flow_id FROM chosen)
        GROUP BY r.flow_id
    )
)

SELECT
    count(*) AS flows,
    count(*) FILTER (WHERE c.ended) AS ended,
    count(*) FILTER (WHERE c.ended AND c.well) AS good,
    count(*) FILTER (WHERE NOT c.ended) AS not_ended,
    count(*) FILTER (WHERE c.verdict = 'violation') AS violated,
    count(*) FILTER (WHERE c.verdict = 'suspected') AS suspected,
    count(c.verdict) AS checked,
    count(*) FILTER (WHERE c.verdict IN ('unknown', 'open')) AS unsettled,
    count(*) FILTER (WHERE c.effects > 0) AS with_effects,
    coalesce(sum(c.effects), 0)::BIGINT AS effects,
    coalesce(sum(c.decisions_below), 0)::BIGINT AS below,
    coalesce(sum(c.decisions_judged), 0)::BIGINT AS judged,
    coalesce(sum(c.decisions), 0)::BIGINT AS decisions,
    count(*) FILTER (WHERE c.has_saga) AS with_saga,
    count(*) FILTER (WHERE c.stuck) AS stuck,
    (SELECT replayed FROM replayed) AS replayed,
    (SELECT identical FROM replayed) AS identical,
    min(c.start_ns) AS first_start_ns,
    max(c.start_ns) AS last_start_ns,
    min(c.first_ns) AS first_ns
FROM chosen AS c
ORDER BY ALL
