/*
title = "Shapes of recorded bodies in two windows, by service, operation, part and status"
params = ["since_a", "until_a", "since_b", "until_b", "characters_max", "rows_max"]
*/
WITH parts AS (
    SELECT
        service,
        kind,
        coalesce(
            upper(http_method) || ' ' || coalesce(http_route, attributes ->> '/url.template'), name
        ) AS operation,
        coalesce(http_status_code::VARCHAR, status) AS status,
        (start_ns >= $since_a AND start_ns < $until_a) AS in_a,
        (start_ns >= $since_b AND start_ns < $until_b) AS in_b,
        {'trace_id': trace_hex(trace_id), 'span_id': span_hex(span_id)} AS span,
        start_ns,
        unnest(
            [
                {
                    'part': 'request',
                    'body': coalesce(
                        attributes ->> '/http.request.body.content',
                        attributes ->> '/http.request.body',
                        attributes ->> '/retrospan.step.request',
                        attributes ->> '/rpc.request.body',
                        attributes ->> '/messaging.message.body'
                    )
                },
                {
                    'part': 'response',
                    'body': coalesce(
                        attributes ->> '/http.response.body.content',
                        attributes ->> '/http.response.body',
                        attributes ->> '/retrospan.step.response',
                        attributes ->> '/rpc.response.body'
                    )
                }
            ]
        ) AS one
    FROM spans
    WHERE
        (start_ns >= $since_a AND start_ns < $until_a)
        OR (start_ns >= $since_b AND start_ns < $until_b)
)
SELECT
    service,
    kind,
    operation,
    one.part AS part,
    CASE WHEN one.part = 'response' THEN status END AS status,
    json_structure(one.body)::VARCHAR AS shape,
    count(*) FILTER (WHERE in_a) AS n_a,
    count(*) FILTER (WHERE in_b) AS n_b,
    arg_min(span, (start_ns, span)) AS example
FROM parts
WHERE
    one.body IS NOT NULL
    AND CASE WHEN length(one.body) <= $characters_max THEN json_valid(one.body) ELSE false END
GROUP BY ALL
ORDER BY n_a + n_b DESC, service, kind, operation, part, status, shape
LIMIT $rows_max
