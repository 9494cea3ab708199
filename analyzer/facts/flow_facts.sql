/*
title = "What can be said of each flow, one row each"
params = ["since_ns", "until_ns", "after"]
*/
WITH chosen AS MATERIALIZED (
    SELECT *
    FROM flows
    WHERE
        ($since_ns::BIGINT IS NULL OR coalesce(end_ns, start_ns) >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR coalesce(end_ns, start_ns) < $until_ns::BIGINT)
        AND (
            $after::BIGINT IS NULL
            OR flow_id IN (SELECT flow_id FROM flow_heads WHERE derivation > $after::BIGINT)
        )
),

checks AS (
    SELECT
        flow_id,
        list(item."check" ORDER BY item."check") FILTER (
            WHERE item.verdict = 'violation'
        ) AS violations,
        list(item."check" ORDER BY item."check") FILTER (
            WHERE item.verdict = 'suspected'
        ) AS suspicions,
        list(item."check" ORDER BY item."check") FILTER (
            WHERE item.verdict = 'unknown'
        ) AS undecided
    FROM (
        SELECT DISTINCT
            flow_id,
            unnest(from_json(checks, '[{"check": "VARCHAR", "verdict": "VARCHAR"}]')) AS item
        FROM sagas
        -- A saga's verdict is the worst of its checks: the others have nothing to list.
        WHERE
            verdict IN ('violation', 'suspected', 'unknown')
            AND flow_id IN (SELECT flow_id FROM chosen)
    )
    GROUP BY flow_id
),

verdicts AS (
    SELECT
        flow_id,
        min(
            list_position(
                ['violation', 'suspected', 'unknown', 'open', 'pass', 'not_applicable'], verdict
            )
        ) AS worst,
        sum(json_array_length(residuals)::BIGINT) AS residual_effects
    FROM sagas
    WHERE flow_id IN (SELECT flow_id FROM chosen)
    GROUP BY flow_id
),

found AS (
    SELECT flow_id, list(detector ORDER BY detector) AS findings
    FROM (SELECT DISTINCT flow_id, detector FROM findings WHERE verdict = 'violation')
    WHERE flow_id IN (SELECT flow_id FROM chosen)
    GROUP BY flow_id
),

owned AS (
    SELECT flow_id, unnest(decision_ids) AS decision_id FROM chosen
),

decided AS (
    SELECT
        o.flow_id,
        count(*) AS decisions,
        count(d.policy_outcome) AS gated,
        count(*) FILTER (WHERE d.policy_outcome = 'escalate') AS escalated,
        count(*) FILTER (WHERE d.confidence_value IS NULL OR d.threshold_value IS NULL) AS unscored,
        count(*) FILTER (WHERE d.confidence_value < d.threshold_value) AS below_threshold,
        list(DISTINCT d.model_name || '@' || coalesce(d.model_version, '')
            ORDER BY d.model_name || '@' || coalesce(d.model_version, ''))
            FILTER (WHERE d.model_name IS NOT NULL) AS models,
        list(DISTINCT d.policy_id || '@' || coalesce(d.policy_version, '')
            ORDER BY d.policy_id || '@' || coalesce(d.policy_version, ''))
            FILTER (WHERE d.policy_id IS NOT NULL) AS policies
    FROM owned AS o
    INNER JOIN decisions AS d ON o.decision_id = d.decision_id
    GROUP BY o.flow_id
),

failed AS (
    SELECT
        flow_id,
        list(DISTINCT callee ORDER BY callee) FILTER (WHERE callee <> '') AS failing_services
    FROM steps
    WHERE outcome IN ('error', 'timeout') AND flow_id IN (SELECT flow_id FROM chosen)
    GROUP BY flow_id
)

SELECT
    f.flow_id,
    f.name,
    f.version,
    f.service,
    f.services,
    f.outcome,
    f.architecture,
    f.replayability,
    f.complete,
    f.start_ns,
    f.end_ns,
    (f.end_ns - f.start_ns) / 1000000 AS duration_ms,
    f.sampling,
    f.sampling_weight,
    f.step_count,
    f.attempt_count,
    f.compensation_count,
    f.span_count,
    ['violation', 'suspected', 'unknown', 'open', 'pass', 'not_applicable'][v.worst] AS saga,
    coalesce(v.residual_effects, 0)::BIGINT AS residual_effects,
    coalesce(c.violations, []) AS violations,
    coalesce(c.suspicions, []) AS suspicions,
    coalesce(c.undecided, []) AS undecided,
    coalesce(n.findings, []) AS findings,
    coalesce(d.decisions, 0)::BIGINT AS decisions,
    coalesce(d.gated, 0)::BIGINT AS gated,
    coalesce(d.escalated, 0)::BIGINT AS escalated,
    coalesce(d.unscored, 0)::BIGINT AS unscored,
    coalesce(d.below_threshold, 0)::BIGINT AS below_threshold,
    coalesce(d.models, []) AS models,
    coalesce(d.policies, []) AS policies,
    coalesce(x.failing_services, []) AS failing_services
FROM chosen AS f
LEFT JOIN checks AS c ON f.flow_id = c.flow_id
LEFT JOIN verdicts AS v ON f.flow_id = v.flow_id
LEFT JOIN found AS n ON f.flow_id = n.flow_id
LEFT JOIN decided AS d ON f.flow_id = d.flow_id
LEFT JOIN failed AS x ON f.flow_id = x.flow_id
ORDER BY coalesce(f.end_ns, f.start_ns), f.flow_id
