/*
title = "Spans of flows that began in a time range, in short, with what tells their flow apart"
params = ["since_ns", "until_ns", "spans_max"]
*/
WITH chosen AS (
    SELECT
        flow_id,
        TRY_CAST(unnest(trace_ids) AS UUID) AS trace_id
    FROM flows
    WHERE start_ns >= $since_ns AND start_ns < $until_ns
)
SELECT
    chosen.flow_id,
    trace_hex(s.trace_id) AS trace_id,
    span_hex(s.span_id) AS span_id,
    coalesce(span_hex(s.parent_span_id), '') AS parent_id,
    coalesce(s.service, '') AS service,
    coalesce(s.name, '') AS operation,
    s.start_ns,
    s.end_ns,
    s.status = 'error' OR coalesce(s.http_status_code >= 500, false) AS failed,
    coalesce(s.error_type, s.status_message, '') AS error,
    s.kind IN ('client', 'producer') AS outbound,
    coalesce(
        s.attributes ->> '/service.peer.name',
        s.attributes ->> '/peer.service',
        s.server_address,
        s.db_system,
        ''
    ) AS callee,
    coalesce(s.resource ->> '/service.version', '') AS version,
    coalesce(s.resource ->> '/k8s.pod.name', s.resource ->> '/service.instance.id', '') AS instance
FROM chosen
INNER JOIN spans AS s ON chosen.trace_id = s.trace_id
WHERE s.end_ns IS NOT NULL
ORDER BY s.start_ns, trace_id, s.span_id, chosen.flow_id
LIMIT $spans_max
