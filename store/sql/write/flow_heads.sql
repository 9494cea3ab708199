-- Heads of the flows that were just written. Spans are looked for where in time their traces lie.
INSERT INTO flow_heads BY NAME
WITH chosen AS (
    SELECT f.*
    FROM flows AS f
    SEMI JOIN incoming AS i ON f.flow_id = i.flow_id
),

owned AS (
    SELECT flow_id, unnest(decision_ids) AS decision_id FROM chosen
),

judged AS (
    SELECT
        o.flow_id,
        count(*) FILTER (
            WHERE d.confidence_value IS NOT NULL AND d.threshold_value IS NOT NULL
        ) AS decisions_judged,
        count(*) FILTER (WHERE d.confidence_value < d.threshold_value) AS decisions_below
    FROM owned AS o
    INNER JOIN decisions AS d ON o.decision_id = d.decision_id
    GROUP BY o.flow_id
),

verdicts AS (
    SELECT
        s.flow_id,
        min(list_position(
            ['violation', 'suspected', 'unknown', 'open', 'pass', 'not_applicable'], s.verdict
        )) AS worst,
        sum(json_array_length(s.residuals))::BIGINT AS effects
    FROM sagas AS s
    SEMI JOIN incoming AS i ON s.flow_id = i.flow_id
    GROUP BY s.flow_id
),

undoing AS (
    SELECT DISTINCT s.flow_id
    FROM steps AS s
    SEMI JOIN incoming AS i ON s.flow_id = i.flow_id
    WHERE s.role IS NOT NULL
),

begun AS (
    SELECT flow_id, min(start_ns) AS first_ns
    FROM (
        SELECT s.flow_id, s.start_ns
        FROM steps AS s
        SEMI JOIN incoming AS i ON s.flow_id = i.flow_id
        UNION ALL
        SELECT a.flow_id, a.start_ns
        FROM attempts AS a
        SEMI JOIN incoming AS i ON a.flow_id = i.flow_id
    )
    GROUP BY flow_id
),

visited AS (
    SELECT flow_id, unnest(trace_ids) AS trace_hex FROM chosen
),

lain AS (
    SELECT DISTINCT v.flow_id, t.trace_id, t.min_ns, t.max_ns
    FROM visited AS v
    INNER JOIN traces AS t ON TRY_CAST(v.trace_hex AS UUID) = t.trace_id
),

placed AS (
    SELECT
        l.flow_id,
        list(DISTINCT p.environment ORDER BY p.environment) AS environments
    FROM lain AS l
    INNER JOIN (
        SELECT
            trace_id,
            coalesce(
                resource ->> '/deployment.environment.name', resource ->> '/deployment.environment'
            ) AS environment
        FROM spans
        WHERE
            parent_span_id IS NULL
            AND start_ns >= (SELECT min(min_ns) FROM lain)
            AND start_ns <= (SELECT max(max_ns) FROM lain)
    ) AS p ON l.trace_id = p.trace_id
    WHERE p.environment IS NOT NULL
    GROUP BY l.flow_id
)

SELECT
    f.flow_id,
    f.start_ns,
    f.end_ns,
    least(f.start_ns, b.first_ns) AS first_ns,
    f.name,
    f.version,
    f.outcome,
    f.service,
    f.services,
    coalesce(p.environments, []) AS environments,
    f.span_count,
    f.step_count,
    f.attempt_count,
    f.compensation_count,
    f.complete,
    f.replayability,
    u.flow_id IS NOT NULL AS has_saga,
    ['violation', 'suspected', 'unknown', 'open', 'pass', 'not_applicable'][v.worst] AS verdict,
    coalesce(v.effects, 0)::BIGINT AS effects,
    len(f.decision_ids)::BIGINT AS decisions,
    coalesce(j.decisions_judged, 0)::BIGINT AS decisions_judged,
    coalesce(j.decisions_below, 0)::BIGINT AS decisions_below,
    f.sampling_weight,
    k.kind AS facts,
    md5_number_lower(o.contents) AS undoing,
    coalesce(o.times_ns, []) AS undoing_ns,
    (SELECT max(number) FROM derivations) AS derivation
FROM chosen AS f
LEFT JOIN judged AS j ON f.flow_id = j.flow_id
LEFT JOIN verdicts AS v ON f.flow_id = v.flow_id
LEFT JOIN undoing AS u ON f.flow_id = u.flow_id
LEFT JOIN placed AS p ON f.flow_id = p.flow_id
LEFT JOIN begun AS b ON f.flow_id = b.flow_id
LEFT JOIN fresh_facts AS k ON f.flow_id = k.flow_id
LEFT JOIN undoings AS o ON f.flow_id = o.flow_id
