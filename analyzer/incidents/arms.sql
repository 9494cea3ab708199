/*
title = "The version, policy, model and flags each flow of a time range met"
params = ["since_ns", "until_ns"]
*/
SELECT
    a.flow_id,
    a.kind,
    a.subject,
    a.version
FROM flow_arms AS a
INNER JOIN flows AS f ON a.flow_id = f.flow_id
WHERE f.start_ns >= $since_ns AND f.start_ns < $until_ns
ORDER BY a.flow_id, a.kind, a.subject, a.version
