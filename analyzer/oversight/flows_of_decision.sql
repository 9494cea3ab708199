/*
title = "Flows that count a decision among theirs"
params = ["decision_id"]
columns = ["flow_id"]
*/
SELECT flow_id
FROM flows
WHERE list_contains(decision_ids, $decision_id)
ORDER BY flow_id
