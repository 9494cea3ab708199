/*
title = "From when to when each service was heard of"
params = []
columns = ["service", "first_ns", "last_ns"]
*/
SELECT
    service,
    min(start_ns) AS first_ns,
    max(coalesce(end_ns, start_ns)) AS last_ns
FROM spans
GROUP BY service
ORDER BY service
