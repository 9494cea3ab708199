/*
title = "Attributes and their types in two windows, by service and span"
params = ["since_a", "until_a", "since_b", "until_b", "rows_max"]
*/
WITH spanned AS (
    SELECT
        service,
        kind,
        coalesce(
            upper(http_method) || ' ' || coalesce(http_route, attributes ->> '/url.template'), name
        ) AS operation,
        attributes,
        (start_ns >= $since_a AND start_ns < $until_a) AS in_a,
        (start_ns >= $since_b AND start_ns < $until_b) AS in_b,
        start_ns,
        {'trace_id': trace_hex(trace_id), 'span_id': span_hex(span_id)} AS span
    FROM spans
    WHERE
        (start_ns >= $since_a AND start_ns < $until_a)
        OR (start_ns >= $since_b AND start_ns < $until_b)
),
totals AS (
    SELECT
        service,
        kind,
        operation,
        count(*) FILTER (WHERE in_a) AS total_a,
        count(*) FILTER (WHERE in_b) AS total_b
    FROM spanned
    GROUP BY ALL
),
typed AS (
    SELECT
        s.service,
        s.kind,
        s.operation,
        e.key AS field,
        e.type AS type,
        count(*) FILTER (WHERE s.in_a) AS n_a,
        count(*) FILTER (WHERE s.in_b) AS n_b,
        arg_min(s.span, (s.start_ns, s.span)) AS example
    FROM spanned AS s, json_each(s.attributes) AS e
    GROUP BY ALL
)
SELECT
    service,
    kind,
    operation,
    field,
    type,
    n_a,
    n_b,
    total_a,
    total_b,
    example
FROM typed
INNER JOIN totals USING (service, kind, operation)
ORDER BY n_a + n_b DESC, service, kind, operation, field, type
LIMIT $rows_max
