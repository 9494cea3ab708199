-- Violated and suspected checks and findings, one row each.
SELECT flow_id, name, verdict, message
FROM (
    SELECT
        flow_id,
        item ->> '$.check' AS name,
        item ->> '$.verdict' AS verdict,
        item ->> '$.message' AS message
    FROM (
        SELECT flow_id, unnest(json_extract(checks, '$[*]')) AS item
        FROM sagas
        WHERE verdict IN ('violation', 'suspected')
    )
    UNION ALL
    SELECT flow_id, detector AS name, verdict, message
    FROM findings
)
WHERE verdict IN ('violation', 'suspected')
ORDER BY ALL
