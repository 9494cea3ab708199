/*
title = "Runs of calls that a circuit breaker let pass or not, per edge and instance of the caller"
params = []
columns = [
    "service", "callee", "operation", "instance", "is_closed", "from_ns", "until_ns", "calls",
    "failed", "refused", "probes", "probes_failed", "sample",
]
*/
WITH calls AS (
    SELECT
        s.service,
        s.callee,
        s.operation,
        coalesce(
            p.resource ->> '/service.instance.id', p.resource ->> '/service.version', ''
        ) AS instance,
        a.start_ns,
        a.outcome,
        a.callee_span_id,
        lower(replace(a.breaker_state, '-', '_')) AS state,
        trace_hex(a.trace_id) || '/' || span_hex(a.span_id) AS span
    FROM attempts AS a
    INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    INNER JOIN spans AS p ON a.trace_id = p.trace_id AND a.span_id = p.span_id
    WHERE a.breaker_state IS NOT NULL
),

marked AS (
    SELECT
        *,
        state = 'closed' AS is_closed,
        coalesce(lag(state = 'closed') OVER caller <> (state = 'closed'), true) AS is_new
    FROM calls
    WINDOW caller AS (PARTITION BY service, callee, operation, instance ORDER BY start_ns, span)
),

numbered AS (
    SELECT
        *,
        count(*) FILTER (is_new) OVER (
            PARTITION BY service, callee, operation, instance ORDER BY start_ns, span
            ROWS UNBOUNDED PRECEDING
        ) AS run
    FROM marked
)

SELECT
    service,
    callee,
    operation,
    instance,
    any_value(is_closed) AS is_closed,
    min(start_ns) AS from_ns,
    max(start_ns) AS until_ns,
    count(*) AS calls,
    count(*) FILTER (outcome NOT IN ('ok', 'unknown')) AS failed,
    count(*) FILTER (state = 'open') AS refused,
    count(*) FILTER (state = 'half_open') AS probes,
    count(*) FILTER (state = 'half_open' AND outcome <> 'ok') AS probes_failed,
    min(span, 3) AS sample
FROM numbered
GROUP BY service, callee, operation, instance, run
ORDER BY service, callee, operation, instance, from_ns, run
