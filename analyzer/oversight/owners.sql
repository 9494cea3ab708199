/*
title = "Which flow counts each decision among its own"
params = []
columns = ["decision_id", "flow_id"]
*/
SELECT
    decision_id,
    min(flow_id) AS flow_id
FROM (SELECT flow_id, unnest(decision_ids) AS decision_id FROM flows)
GROUP BY decision_id
HAVING count(*) = 1
ORDER BY decision_id
