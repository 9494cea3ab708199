/*
title = "Flows of each arm that left an effect standing or a compensation unfinished"
params = ["arms", "kinds", "subjects", "versions", "sinces", "untils"]
*/
WITH arms AS (
    SELECT
        unnest($arms::BIGINT[]) AS arm,
        unnest($kinds::VARCHAR[]) AS kind,
        unnest($subjects::VARCHAR[]) AS subject,
        unnest($versions::VARCHAR[]) AS version,
        unnest($sinces::BIGINT[]) AS since_ns,
        unnest($untils::BIGINT[]) AS until_ns
),
members AS (
    SELECT kind, subject, version, flow_id FROM flow_arms
    UNION
    SELECT
        'service',
        s.service,
        s.resource ->> '/service.version',
        m.flow_id
    FROM spans AS s
    INNER JOIN flow_members AS m ON s.trace_id = m.trace_id AND s.span_id = m.span_id
    WHERE s.kind IN ('server', 'consumer')
)
SELECT
    arms.arm,
    count(DISTINCT f.flow_id) AS n,
    min(f.flow_id) AS example
FROM arms
INNER JOIN members AS m
    ON arms.kind = m.kind AND arms.subject = m.subject AND arms.version = m.version
INNER JOIN flows AS f
    ON
        m.flow_id = f.flow_id
        AND f.start_ns >= arms.since_ns
        AND f.start_ns < arms.until_ns
LEFT JOIN (
    SELECT flow_id, sum(json_array_length(residuals)) AS standing FROM sagas GROUP BY flow_id
) AS s ON f.flow_id = s.flow_id
WHERE f.outcome IN ('compensation_failed', 'partially_compensated') OR s.standing > 0
GROUP BY arms.arm
ORDER BY arms.arm
