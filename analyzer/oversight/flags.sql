/*
title = "Feature flags that were evaluated, as events of spans, in logs or on spans, with their flows"
params = ["trace_ids", "low_ns", "high_ns"]
columns = [
    "flow_id", "trace_id", "span_id", "time_ns", "service", "source", "flag", "variant", "reason",
    "provider", "context_id",
]
*/
-- NULL traces are all of them. Their spans lie between low_ns and high_ns.
WITH wanted AS (
    SELECT trace_id FROM parse_trace_ids(coalesce($trace_ids::VARCHAR[], []))
),

told AS (
    SELECT
        e.trace_id,
        e.span_id,
        e.time_ns,
        s.service,
        'span event' AS source,
        e.attributes
    FROM span_events AS e
    INNER JOIN spans AS s ON e.trace_id = s.trace_id AND e.span_id = s.span_id
    WHERE
        e.name IN ('feature_flag.evaluation', 'feature_flag')
        AND ($trace_ids::VARCHAR[] IS NULL OR e.trace_id IN (SELECT trace_id FROM wanted))
    UNION ALL
    SELECT
        trace_id,
        span_id,
        time_ns,
        service,
        'log',
        attributes
    FROM logs
    WHERE
        ($trace_ids::VARCHAR[] IS NULL OR trace_id IN (SELECT trace_id FROM wanted))
        AND (
            event_name IN ('feature_flag.evaluation', 'feature_flag')
            OR attributes ->> '/event.name' IN ('feature_flag.evaluation', 'feature_flag')
        )
    UNION ALL
    SELECT
        trace_id,
        span_id,
        start_ns,
        service,
        'span',
        attributes
    FROM spans
    WHERE
        (
            $trace_ids::VARCHAR[] IS NULL
            OR rowid IN (
                SELECT rowid
                FROM spans
                WHERE
                    start_ns BETWEEN $low_ns AND $high_ns
                    AND trace_id IN (SELECT trace_id FROM wanted)
            )
        )
        AND contains(attributes::VARCHAR, '"feature_flag.key"')
),

read AS (
    SELECT
        trace_id,
        span_id,
        time_ns,
        service,
        source,
        attributes ->> '/feature_flag.key' AS flag,
        coalesce(
            attributes ->> '/feature_flag.result.variant',
            attributes ->> '/feature_flag.variant',
            attributes ->> '/feature_flag.result.value'
        ) AS variant,
        coalesce(
            attributes ->> '/feature_flag.result.reason',
            attributes ->> '/feature_flag.evaluation.reason'
        ) AS reason,
        coalesce(
            attributes ->> '/feature_flag.provider.name', attributes ->> '/feature_flag.provider_name'
        ) AS provider,
        attributes ->> '/feature_flag.context.id' AS context_id
    FROM told
)

SELECT DISTINCT
    m.flow_id,
    trace_hex(r.trace_id) AS trace_id,
    span_hex(r.span_id) AS span_id,
    r.time_ns,
    r.service,
    r.source,
    r.flag,
    r.variant,
    r.reason,
    r.provider,
    r.context_id
FROM read AS r
LEFT JOIN flow_members AS m ON r.trace_id = m.trace_id AND r.span_id = m.span_id
WHERE r.flag <> '' AND r.variant <> ''
ORDER BY
    r.time_ns,
    trace_id,
    span_id,
    r.flag,
    r.variant,
    r.source,
    m.flow_id,
    r.service,
    r.reason,
    r.provider,
    r.context_id
