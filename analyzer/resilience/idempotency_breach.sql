/*
title = "What was done under one idempotency key, per callee and operation"
params = []
columns = [
    "callee", "operation", "keys", "repeated", "effects", "payloads", "results", "effects_sample",
    "payloads_sample", "results_sample",
]
*/
WITH uses AS (
    SELECT
        s.callee,
        s.operation,
        a.idempotency_key,
        count(*) AS uses,
        count(DISTINCT a.external_ref) FILTER (a.took_effect) AS refs,
        count(DISTINCT a.request_sha256) FILTER (a.has_request) AS requests,
        count(DISTINCT a.response_sha256) FILTER (a.has_response AND a.outcome = 'ok') AS responses,
        min(trace_hex(a.trace_id) || '/' || span_hex(a.span_id), 2) AS spans
    FROM attempts AS a
    INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    WHERE a.idempotency_key IS NOT NULL AND s.callee <> ''
    GROUP BY ALL
)

SELECT
    callee,
    operation,
    count(*) AS keys,
    count(*) FILTER (uses > 1) AS repeated,
    count(*) FILTER (refs > 1) AS effects,
    count(*) FILTER (requests > 1) AS payloads,
    count(*) FILTER (responses > 1 AND requests <= 1 AND refs <= 1) AS results,
    flatten(min(spans, 5) FILTER (refs > 1)) AS effects_sample,
    flatten(min(spans, 5) FILTER (requests > 1)) AS payloads_sample,
    flatten(min(spans, 5) FILTER (responses > 1 AND requests <= 1 AND refs <= 1)) AS results_sample
FROM uses
GROUP BY ALL
ORDER BY callee, operation
