-- Facts of the flows that were just written, and the kind they make. Only what many flows can share
-- is a part of it. Spans are looked for where in time their traces lie.
CREATE OR REPLACE TEMP TABLE fresh_facts AS
WITH chosen AS MATERIALIZED (
    SELECT f.*
    FROM flows AS f
    SEMI JOIN incoming AS i ON f.flow_id = i.flow_id
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
            s.flow_id,
            unnest(from_json(s.checks, '[{"check": "VARCHAR", "verdict": "VARCHAR"}]')) AS item
        FROM sagas AS s
        SEMI JOIN incoming AS i ON s.flow_id = i.flow_id
        -- A saga's verdict is the worst of its checks: the others have nothing to list.
        WHERE s.verdict IN ('violation', 'suspected', 'unknown')
    )
    GROUP BY flow_id
),

verdicts AS (
    SELECT
        s.flow_id,
        min(list_position(
            ['violation', 'suspected', 'unknown', 'open', 'pass', 'not_applicable'], s.verdict
        )) AS worst,
        sum(json_array_length(s.residuals)::BIGINT) AS residual_effects
    FROM sagas AS s
    SEMI JOIN incoming AS i ON s.flow_id = i.flow_id
    GROUP BY s.flow_id
),

found AS (
    SELECT f.flow_id, list(DISTINCT f.detector ORDER BY f.detector) AS findings
    FROM findings AS f
    SEMI JOIN incoming AS i ON f.flow_id = i.flow_id
    WHERE f.verdict = 'violation'
    GROUP BY f.flow_id
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
        s.flow_id,
        list(DISTINCT s.callee ORDER BY s.callee) FILTER (WHERE s.callee <> '') AS failing_services
    FROM steps AS s
    SEMI JOIN incoming AS i ON s.flow_id = i.flow_id
    WHERE s.outcome IN ('error', 'timeout')
    GROUP BY s.flow_id
),

members AS MATERIALIZED (
    SELECT m.*
    FROM flow_members AS m
    SEMI JOIN incoming AS i ON m.flow_id = i.flow_id
),

lain AS (
    SELECT min(min_ns) AS min_ns, max(max_ns) AS max_ns
    FROM traces
    WHERE trace_id IN (SELECT trace_id FROM members)
),

placed AS (
    SELECT m.flow_id, list(DISTINCT s.region ORDER BY s.region) AS regions
    FROM members AS m
    INNER JOIN (
        SELECT trace_id, span_id, resource ->> '/cloud.region' AS region
        FROM spans
        WHERE
            contains(resource::VARCHAR, 'cloud.region')
            AND start_ns >= (SELECT min_ns FROM lain)
            AND start_ns <= (SELECT max_ns FROM lain)
    ) AS s ON m.trace_id = s.trace_id AND m.span_id = s.span_id
    WHERE s.region IS NOT NULL
    GROUP BY m.flow_id
),

facts AS (
    SELECT
        f.flow_id,
        to_json({
            'name': f.name,
            'version': f.version,
            'service': f.service,
            'services': f.services,
            'outcome': f.outcome,
            'architecture': f.architecture,
            'replayability': f.replayability,
            'complete': f.complete,
            'step_count': f.step_count,
            'attempt_count': f.attempt_count,
            'compensation_count': f.compensation_count,
            'saga': ['violation', 'suspected', 'unknown', 'open', 'pass', 'not_applicable'][v.worst],
            'residual_effects': coalesce(v.residual_effects, 0)::BIGINT,
            'violations': coalesce(c.violations, []),
            'suspicions': coalesce(c.suspicions, []),
            'undecided': coalesce(c.undecided, []),
            'findings': coalesce(n.findings, []),
            'decisions': coalesce(d.decisions, 0)::BIGINT,
            'gated': coalesce(d.gated, 0)::BIGINT,
            'escalated': coalesce(d.escalated, 0)::BIGINT,
            'unscored': coalesce(d.unscored, 0)::BIGINT,
            'below_threshold': coalesce(d.below_threshold, 0)::BIGINT,
            'models': coalesce(d.models, []),
            'policies': coalesce(d.policies, []),
            'failing_services': coalesce(x.failing_services, []),
            'regions': coalesce(p.regions, [])
        }) AS contents
    FROM chosen AS f
    LEFT JOIN checks AS c ON f.flow_id = c.flow_id
    LEFT JOIN verdicts AS v ON f.flow_id = v.flow_id
    LEFT JOIN found AS n ON f.flow_id = n.flow_id
    LEFT JOIN decided AS d ON f.flow_id = d.flow_id
    LEFT JOIN failed AS x ON f.flow_id = x.flow_id
    LEFT JOIN placed AS p ON f.flow_id = p.flow_id
)

SELECT flow_id, contents, md5_number_lower(contents::VARCHAR) AS kind
FROM facts
