-- By row number: only the columns that choose are read, and of those no time before the flows.
-- Bodies are many more than one flow's, so they are looked through once, for both ends of an attempt.
WITH chosen AS MATERIALIZED (
    SELECT *
    FROM attempts
    WHERE
        rowid IN (
            SELECT rowid
            FROM attempts
            WHERE
                start_ns >= $first_ns
                AND flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
        )
),

shown AS MATERIALIZED (
    SELECT sha256, body
    FROM payloads
    WHERE
        rowid IN (
            SELECT rowid
            FROM payloads
            WHERE
                head IN (
                    SELECT body_head(request_sha256) FROM chosen
                    UNION
                    SELECT body_head(response_sha256) FROM chosen
                )
        )
)

SELECT
    a.flow_id,
    a.step_ordinal,
    a.start_ns,
    a.end_ns,
    a.status,
    a.error,
    a.http_status,
    a.has_request,
    a.has_response,
    a.idempotency_key,
    a.breaker_state,
    a.timeout_ms,
    a.callee_start_ns,
    a.callee_end_ns,
    a.took_effect,
    a.external_ref,
    a.outcome,
    a.callee_outcome,
    trace_hex(a.trace_id),
    span_hex(a.span_id),
    span_hex(a.callee_span_id),
    request.body,
    response.body
FROM chosen AS a
LEFT JOIN shown AS request ON a.request_sha256 = request.sha256
LEFT JOIN shown AS response ON a.response_sha256 = response.sha256
ORDER BY a.flow_id, a.step_ordinal, a.ordinal
