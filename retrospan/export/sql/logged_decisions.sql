/*
title = "How many decisions of the log there are, or belong to some flows"
params = ["flow_ids", "all"]
columns = ["decisions"]
*/
WITH chosen AS (
    SELECT unnest(decision_ids) AS decision_id
    FROM flows
    WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
)

SELECT count(*) AS decisions
FROM decisions
WHERE leaf_index IS NOT NULL
    AND ($all OR decision_id IN (SELECT decision_id FROM chosen))
ORDER BY 1
