/*
title = "The cloud regions each flow's spans ran in"
params = []
columns = ["flow_id", "regions"]
*/
SELECT
    m.flow_id,
    list(DISTINCT s.resource ->> '$."cloud.region"' ORDER BY s.resource ->> '$."cloud.region"')
        AS regions
FROM flow_members AS m
INNER JOIN spans AS s ON m.trace_id = s.trace_id AND m.span_id = s.span_id
WHERE s.resource ->> '$."cloud.region"' IS NOT NULL
GROUP BY m.flow_id
ORDER BY m.flow_id
