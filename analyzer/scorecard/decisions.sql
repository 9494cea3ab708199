/*
title = "What the decisions of each flow say of gates, thresholds and their own records"
params = []
*/
WITH owned AS (
    SELECT flow_id, unnest(decision_ids) AS decision_id FROM flows
),

told AS (
    SELECT
        o.flow_id,
        d.action_step_key IS NOT NULL AS acted,
        lower(coalesce(d.policy_outcome, '')) AS gate,
        coalesce(
            d.record ->> '$.human_review.outcome', d.record ->> '$.human_review.by'
        ) IS NOT NULL AS reviewed,
        d.confidence_value IS NOT NULL AND d.threshold_value IS NOT NULL AS scored,
        d.confidence_value < d.threshold_value AS below,
        d.confidence IS NOT NULL
        AND d.threshold IS NOT NULL
        AND coalesce(d.record ->> '$.actor.agent', d.record ->> '$.actor.service') IS NOT NULL
        AND d.model_name IS NOT NULL
        AND d.model_version IS NOT NULL
        AND coalesce(d.record ->> '$.input', d.record ->> '$.input_sha256') IS NOT NULL
        AND d.policy_id IS NOT NULL
        AND d.policy_version IS NOT NULL
        AND d.policy_outcome IS NOT NULL
        AND d.trace_id IS NOT NULL
        AND d.span_id IS NOT NULL
        AND (
            d.action_step_key IS NOT NULL
            OR lower(d.policy_outcome) NOT IN ('allow', 'allowed', 'modify', 'modified')
        ) AS complete
    FROM owned AS o
    INNER JOIN decisions AS d ON o.decision_id = d.decision_id
)

SELECT
    flow_id,
    count(*) AS decisions,
    count(*) FILTER (WHERE acted) AS acted,
    count(*) FILTER (
        WHERE
        acted
        AND (
            gate IN ('allow', 'allowed', 'modify', 'modified')
            OR gate IN ('escalate', 'escalated') AND reviewed
        )
    ) AS gated,
    count(*) FILTER (WHERE acted AND scored) AS scored,
    count(*) FILTER (
        WHERE acted AND scored AND below AND NOT reviewed AND gate NOT IN ('escalate', 'escalated')
    ) AS below,
    count(*) FILTER (WHERE complete) AS complete
FROM told
GROUP BY flow_id
ORDER BY flow_id
