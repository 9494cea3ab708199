CREATE VIEW saga_checks AS
SELECT
    flow_id,
    saga_id,
    ordinal,
    item ->> '$.check' AS "check",
    item ->> '$.verdict' AS verdict,
    item ->> '$.message' AS message,
    item -> '$.evidence' AS evidence,
    item -> '$.missing' AS missing
FROM (
    SELECT
        flow_id,
        saga_id,
        unnest(range(json_array_length(checks)::BIGINT)) AS ordinal,
        unnest(json_extract(checks, '$[*]')) AS item
    FROM sagas
)
