/*
title = "Tokens, recorded cost and time of each decision of each flow"
params = []
*/
SELECT
    o.flow_id,
    d.decision_id,
    d.time_ns,
    d.model_name,
    d.model_version,
    TRY_CAST(d.record ->> '$.usage.input_tokens' AS BIGINT) AS input_tokens,
    TRY_CAST(d.record ->> '$.usage.output_tokens' AS BIGINT) AS output_tokens,
    TRY_CAST(d.record ->> '$.usage.cache_read_input_tokens' AS BIGINT) AS cache_read,
    TRY_CAST(d.record ->> '$.usage.cache_creation_input_tokens' AS BIGINT) AS cache_write,
    d.record ->> '$.usage.cost_usd' AS cost_usd,
    TRY_CAST(
        round(TRY_CAST(d.record ->> '$.latency_ms' AS DECIMAL(38, 9)) * 1000000) AS BIGINT
    ) AS latency_ns
FROM (SELECT flow_id, unnest(decision_ids) AS decision_id FROM flows) AS o
INNER JOIN decisions AS d ON o.decision_id = d.decision_id
ORDER BY o.flow_id, d.time_ns, d.decision_id
