/*
title = "Log records of a time range, in short"
params = ["since_ns", "until_ns", "lines_max"]
*/
SELECT
    coalesce(time_ns, observed_ns) AS at_ns,
    coalesce(service, '') AS service,
    coalesce(severity_number, 0) AS severity,
    coalesce(body ->> '$', event_name, '') AS text,
    coalesce(trace_hex(trace_id), '') AS trace_id,
    coalesce(span_hex(span_id), '') AS span_id
FROM logs
WHERE coalesce(time_ns, observed_ns) >= $since_ns AND coalesce(time_ns, observed_ns) < $until_ns
ORDER BY at_ns, service, content_hash
LIMIT $lines_max
