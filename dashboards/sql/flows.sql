-- Every flow with what pages count, filter and list; the saga verdict is the worst of its sagas.
WITH verdicts AS (
    SELECT
        flow_id,
        min(list_position(
            ['violation', 'suspected', 'unknown', 'open', 'pass', 'not_applicable'], verdict
        )) AS rank,
        sum(json_array_length(residuals))::BIGINT AS effects
    FROM sagas
    GROUP BY flow_id
),
judged AS (
    SELECT
        m.flow_id,
        count(*) FILTER (
            WHERE d.confidence_value IS NOT NULL AND d.threshold_value IS NOT NULL
        ) AS judged,
        count(*) FILTER (WHERE d.confidence_value < d.threshold_value) AS below
    FROM (SELECT flow_id, unnest(decision_ids) AS decision_id FROM flows) AS m
    INNER JOIN decisions AS d ON m.decision_id = d.decision_id
    GROUP BY m.flow_id
),
controls AS (
    SELECT flow_id, min(verdict) AS verdict
    FROM replays
    WHERE scenario IS NULL AND mode = 'trace'
    GROUP BY flow_id
)
SELECT
    f.flow_id,
    f.name,
    f.version,
    f.outcome,
    f.start_ns,
    f.end_ns,
    f.service,
    f.services,
    f.span_count,
    f.step_count,
    f.attempt_count,
    f.compensation_count,
    f.complete,
    f.replayability,
    len(f.decision_ids)::BIGINT AS decisions,
    coalesce(j.judged, 0)::BIGINT AS decisions_judged,
    coalesce(j.below, 0)::BIGINT AS decisions_below,
    ['violation', 'suspected', 'unknown', 'open', 'pass', 'not_applicable'][v.rank] AS verdict,
    coalesce(v.effects, 0)::BIGINT AS effects,
    c.verdict AS replay
FROM flows AS f
LEFT JOIN verdicts AS v ON f.flow_id = v.flow_id
LEFT JOIN judged AS j ON f.flow_id = j.flow_id
LEFT JOIN controls AS c ON f.flow_id = c.flow_id
ORDER BY f.start_ns DESC, f.flow_id
