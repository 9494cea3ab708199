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
FROM attempts AS a
LEFT JOIN payloads AS request ON a.request_sha256 = request.sha256
LEFT JOIN payloads AS response ON a.response_sha256 = response.sha256
WHERE $all OR a.flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
ORDER BY a.flow_id, a.step_ordinal, a.ordinal
