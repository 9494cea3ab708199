/*
title = "Of these ids, those that a flow bears"
params = ["flow_ids"]
columns = ["flow_id"]
*/
SELECT flow_id
FROM flows
WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
ORDER BY flow_id
