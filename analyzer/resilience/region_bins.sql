/*
title = "Requests and failures per service, region and time bin"
params = ["bin_ns"]
columns = ["service", "region", "bin", "calls", "failed", "sample"]
*/
SELECT
    service,
    resource ->> '/cloud.region' AS region,
    start_ns // $bin_ns::BIGINT AS bin,
    count(*) AS calls,
    count(*) FILTER (status = 'error' OR http_status_code >= 500) AS failed,
    min(trace_hex(trace_id) || '/' || span_hex(span_id), 2)
        FILTER (status = 'error' OR http_status_code >= 500) AS sample
FROM spans
WHERE kind IN ('server', 'consumer')
GROUP BY ALL
ORDER BY service, bin, region
