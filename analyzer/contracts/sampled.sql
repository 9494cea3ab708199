/*
title = "Services whose flows were sampled, and how many of their flows"
params = ["since_ns", "until_ns"]
*/
SELECT
    service,
    count(*) AS flows,
    count(*) FILTER (WHERE sampling IN ('weighted', 'unknown')) AS sampled
FROM (SELECT unnest(services) AS service, sampling, start_ns FROM flows)
WHERE start_ns >= $since_ns AND start_ns < $until_ns
GROUP BY service
ORDER BY service
