/*
title = "How many spans of each flow name a model"
params = []
columns = ["flow_id", "calls"]
*/
SELECT m.flow_id, count(*) AS calls
FROM spans AS s
INNER JOIN flow_members AS m ON s.trace_id = m.trace_id AND s.span_id = m.span_id
WHERE s.gen_ai_model IS NOT NULL
GROUP BY m.flow_id
ORDER BY m.flow_id
