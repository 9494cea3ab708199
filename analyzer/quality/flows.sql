/*
title = "Flows whose sampling is not told, by the service they began in"
params = []
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
-- Nothing said of sampling is not the same as a sampler that hides its rate.
SELECT
    'unknown_sampling' AS gap,
    coalesce(nullif(service, ''), 'unknown_service') AS service,
    count(*) AS checked,
    count(*) FILTER (sampling = 'unknown') AS affected,
    count(*) FILTER (sampling = 'assumed_all') AS undetermined,
    min(trace_ids[1]) FILTER (sampling = 'unknown') AS trace_id,
    NULL::VARCHAR AS span_id
FROM flows
GROUP BY coalesce(nullif(service, ''), 'unknown_service')
ORDER BY service
