CREATE VIEW residual_effects AS
SELECT
    flow_id,
    saga_id,
    ordinal,
    item ->> '$.step' AS step,
    item ->> '$.callee' AS callee,
    item ->> '$.resource' AS resource,
    TRY_CAST(item ->> '$.amount' AS DECIMAL(38, 9)) AS amount,
    item ->> '$.currency' AS currency,
    item ->> '$.external_ref' AS external_ref,
    item ->> '$.idempotency_key' AS idempotency_key,
    item -> '$.evidence' AS evidence
FROM (
    SELECT
        flow_id,
        saga_id,
        unnest(range(json_array_length(residuals)::BIGINT)) AS ordinal,
        unnest(json_extract(residuals, '$[*]')) AS item
    FROM sagas
)
