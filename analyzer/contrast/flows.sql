/*
title = "Flows with what two groups can be made by"
params = []
columns = ["flow_id", "name", "version", "outcome", "start_ns", "end_ns", "architecture",
    "complete", "sampling", "verdict", "findings"]
*/
WITH verdicts AS (
    SELECT
        flow_id,
        list(DISTINCT verdict ORDER BY verdict) AS verdicts
    FROM sagas
    GROUP BY flow_id
),

told AS (
    SELECT
        flow_id,
        list(DISTINCT detector ORDER BY detector) AS findings
    FROM findings
    WHERE flow_id IS NOT NULL AND verdict = 'violation'
    GROUP BY flow_id
)

SELECT
    f.flow_id,
    f.name,
    f.version,
    f.outcome,
    f.start_ns,
    f.end_ns,
    f.architecture,
    f.complete,
    f.sampling,
    coalesce(v.verdicts, []) AS verdict,
    coalesce(t.findings, []) AS findings
FROM flows AS f
LEFT JOIN verdicts AS v ON f.flow_id = v.flow_id
LEFT JOIN told AS t ON f.flow_id = t.flow_id
ORDER BY f.start_ns, f.flow_id
