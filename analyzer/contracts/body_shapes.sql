/*
title = "Shapes of recorded bodies in two windows, by service, operation, part and status"
params = ["since_a", "until_a", "since_b", "until_b", "characters_max", "rows_max"]
*/
WITH parts AS (
    SELECT
        service,
        kind,
        coalesce(
            upper(http_method) || ' ' || coalesce(http_route, said[1]), name
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
                    'body': coalesce(said[2], said[3], said[4], said[5], said[6])
                },
                {
                    'part': 'response',
                    'body': coalesce(said[7], said[8], said[9], said[10])
                }
            ]
        ) AS one
    FROM (
        -- Attributes are parsed once for all of these, which is several times as fast.
        SELECT
            *,
            json_extract_string(
                attributes,
                [
                    '/url.template', -- 1
                    '/http.request.body.content', -- 2
                    '/http.request.body', -- 3
                    '/retrospan.step.request', -- 4
                    '/rpc.request.body', -- 5
                    '/messaging.message.body', -- 6
                    '/http.response.body.content', -- 7
                    '/http.response.body', -- 8
                    '/retrospan.step.response', -- 9
                    '/rpc.response.body' -- 10
                ]
            ) AS said
        FROM spans
        WHERE
            (start_ns >= $since_a AND start_ns < $until_a)
            OR (start_ns >= $since_b AND start_ns < $until_b)
    )
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
