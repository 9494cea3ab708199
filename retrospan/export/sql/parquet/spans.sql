WITH events AS (
    SELECT
        trace_id,
        span_id,
        span_start_ns,
        list(
            {'time_ns': time_ns, 'name': name, 'attributes': attributes::VARCHAR} ORDER BY ordinal
        ) AS events
    FROM span_events
    WHERE span_start_ns BETWEEN $low AND $high
    GROUP BY trace_id, span_id, span_start_ns
),

links AS (
    SELECT
        trace_id,
        span_id,
        span_start_ns,
        list(
            {
                'trace_id': trace_hex(linked_trace_id),
                'span_id': span_hex(linked_span_id),
                'attributes': attributes::VARCHAR
            }
            ORDER BY ordinal
        ) AS links
    FROM span_links
    WHERE span_start_ns BETWEEN $low AND $high
    GROUP BY trace_id, span_id, span_start_ns
)

SELECT
    trace_hex(spans.trace_id) AS trace_id,
    span_hex(spans.span_id) AS span_id,
    span_hex(spans.parent_span_id) AS parent_span_id,
    spans.name,
    spans.kind,
    spans.service,
    spans.start_ns,
    spans.end_ns,
    spans.status,
    spans.status_message,
    spans.trace_state,
    spans.scope_name,
    spans.scope_version,
    spans.attributes::VARCHAR AS attributes,
    spans.resource::VARCHAR AS resource,
    coalesce(events.events, []) AS events,
    coalesce(links.links, []) AS links
FROM spans
LEFT JOIN
    events
    ON
        spans.trace_id = events.trace_id
        AND spans.span_id = events.span_id
        AND spans.start_ns = events.span_start_ns
LEFT JOIN
    links
    ON
        spans.trace_id = links.trace_id
        AND spans.span_id = links.span_id
        AND spans.start_ns = links.span_start_ns
WHERE spans.start_ns BETWEEN $low AND $high
ORDER BY spans.start_ns, spans.trace_id, spans.span_id
