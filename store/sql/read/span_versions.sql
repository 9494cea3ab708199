-- Every version of the rival spans with the identity of its whole content: those of the batch by
-- their row, the stored one as row -1.
WITH versions AS (
    SELECT
        i.row,
        i.trace_id::UUID AS trace_id,
        i.span_id,
        i.parent_span_id,
        i.name,
        i.kind,
        i.service,
        i.start_ns,
        i.end_ns,
        i.status,
        i.status_message,
        i.trace_state,
        i.scope_name,
        i.scope_version,
        i.attributes,
        i.resource
    FROM incoming AS i
    SEMI JOIN rivals AS r ON i.trace_id = r.trace_id AND i.span_id = r.span_id
    UNION ALL
    SELECT
        -1 AS row,
        s.trace_id,
        s.span_id,
        s.parent_span_id,
        s.name,
        s.kind,
        s.service,
        s.start_ns,
        s.end_ns,
        s.status,
        s.status_message,
        s.trace_state,
        s.scope_name,
        s.scope_version,
        s.attributes::VARCHAR AS attributes,
        s.resource::VARCHAR AS resource
    FROM spans AS s
    SEMI JOIN rivals AS r ON s.trace_id = r.trace_id::UUID AND s.span_id = r.span_id
    WHERE s.start_ns BETWEEN $low AND $high
),

events AS (
    SELECT e.row, e.trace_id::UUID AS trace_id, e.span_id, e.ordinal, e.time_ns, e.name, e.attributes
    FROM incoming_events AS e
    SEMI JOIN rivals AS r ON e.trace_id = r.trace_id AND e.span_id = r.span_id
    UNION ALL
    SELECT -1 AS row, e.trace_id, e.span_id, e.ordinal, e.time_ns, e.name, e.attributes::VARCHAR
    FROM span_events AS e
    SEMI JOIN rivals AS r ON e.trace_id = r.trace_id::UUID AND e.span_id = r.span_id
    WHERE e.span_start_ns BETWEEN $low AND $high
),

links AS (
    SELECT
        l.row,
        l.trace_id::UUID AS trace_id,
        l.span_id,
        l.ordinal,
        l.linked_trace_id::UUID AS linked_trace_id,
        l.linked_span_id,
        l.attributes
    FROM incoming_links AS l
    SEMI JOIN rivals AS r ON l.trace_id = r.trace_id AND l.span_id = r.span_id
    UNION ALL
    SELECT
        -1 AS row,
        l.trace_id,
        l.span_id,
        l.ordinal,
        l.linked_trace_id,
        l.linked_span_id,
        l.attributes::VARCHAR AS attributes
    FROM span_links AS l
    SEMI JOIN rivals AS r ON l.trace_id = r.trace_id::UUID AND l.span_id = r.span_id
    WHERE l.span_start_ns BETWEEN $low AND $high
),

event_parts AS (
    SELECT
        row,
        trace_id,
        span_id,
        identity_of(flatten(list([time_ns::VARCHAR, name, attributes] ORDER BY ordinal))) AS digest
    FROM events
    GROUP BY row, trace_id, span_id
),

link_parts AS (
    SELECT
        row,
        trace_id,
        span_id,
        identity_of(
            flatten(
                list(
                    [linked_trace_id::VARCHAR, linked_span_id::VARCHAR, attributes] ORDER BY ordinal
                )
            )
        ) AS digest
    FROM links
    GROUP BY row, trace_id, span_id
)

SELECT
    trace_hex(v.trace_id) AS trace_id,
    v.span_id,
    v.row,
    v.start_ns,
    v.end_ns,
    identity_of(
        [
            v.parent_span_id::VARCHAR,
            v.name,
            v.kind,
            v.service,
            v.start_ns::VARCHAR,
            v.end_ns::VARCHAR,
            v.status,
            v.status_message,
            v.trace_state,
            v.scope_name,
            v.scope_version,
            v.attributes,
            v.resource,
            e.digest::VARCHAR,
            l.digest::VARCHAR
        ]
    ) AS digest
FROM versions AS v
LEFT JOIN event_parts AS e
    ON v.row = e.row AND v.trace_id = e.trace_id AND v.span_id = e.span_id
LEFT JOIN link_parts AS l
    ON v.row = l.row AND v.trace_id = l.trace_id AND v.span_id = l.span_id
ORDER BY 1, 2, 3
