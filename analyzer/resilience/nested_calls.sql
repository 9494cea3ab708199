/*
title = "How many calls were made inside other calls, and how many of both had a limit"
params = []
columns = ["nested", "limited"]
*/
WITH limits AS (
    SELECT
        s.flow_id,
        s.step_id,
        s.parent_step_id,
        bool_or(a.timeout_ms IS NOT NULL) AS has_limit
    FROM steps AS s
    INNER JOIN attempts AS a ON s.flow_id = a.flow_id AND s.ordinal = a.step_ordinal
    WHERE s.callee <> ''
    GROUP BY ALL
)

SELECT
    count(*) AS nested,
    count(*) FILTER (c.has_limit AND p.has_limit) AS limited
FROM limits AS c
INNER JOIN limits AS p ON c.flow_id = p.flow_id AND c.parent_step_id = p.step_id
ORDER BY 1
