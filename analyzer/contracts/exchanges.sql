/*
title = "HTTP exchanges by service, caller, route and status; a call and its handling count once"
params = ["since_ns", "until_ns", "groups_max"]
*/
WITH http AS (
    SELECT
        trace_id,
        span_id,
        parent_span_id,
        kind,
        service,
        start_ns,
        upper(http_method) AS method,
        http_route,
        http_status_code,
        coalesce(said[1], said[2], server_address) AS peer,
        said[3] AS template,
        split_part(
            regexp_replace(
                coalesce(said[4], said[5], said[6], said[7]),
                '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*',
                ''
            ),
            '?',
            1
        ) AS path,
        resource ->> '/service.version' AS version,
        coalesce(said[8], said[9], said[10]) AS request_media,
        coalesce(said[11], said[12], said[13]) AS response_media,
        coalesce(said[14], said[15]) AS deprecation,
        coalesce(said[16], said[17]) AS sunset
    FROM (
        -- Attributes are parsed once for all of these, which is several times as fast.
        SELECT
            *,
            json_extract_string(
                attributes,
                [
                    '/service.peer.name', -- 1
                    '/peer.service', -- 2
                    '/url.template', -- 3
                    '/url.path', -- 4
                    '/http.target', -- 5
                    '/url.full', -- 6
                    '/http.url', -- 7
                    '/http.request.header.content-type/0', -- 8
                    '/http.request.header.content-type', -- 9
                    '/http.request.header.content_type/0', -- 10
                    '/http.response.header.content-type/0', -- 11
                    '/http.response.header.content-type', -- 12
                    '/http.response.header.content_type/0', -- 13
                    '/http.response.header.deprecation/0', -- 14
                    '/http.response.header.deprecation', -- 15
                    '/http.response.header.sunset/0', -- 16
                    '/http.response.header.sunset' -- 17
                ]
            ) AS said
        FROM spans
        WHERE kind IN ('server', 'client') AND http_method IS NOT NULL
    )
),
exchanges AS (
    SELECT
        s.service,
        'server' AS side,
        c.service AS caller,
        c.version AS caller_version,
        s.version AS callee_version,
        s.method,
        coalesce(s.http_route, c.template) AS route,
        coalesce(nullif(s.path, ''), c.path) AS path,
        coalesce(s.http_status_code, c.http_status_code) AS status,
        coalesce(s.request_media, c.request_media) AS request_media,
        coalesce(s.response_media, c.response_media) AS response_media,
        coalesce(s.deprecation, c.deprecation) AS deprecation,
        coalesce(s.sunset, c.sunset) AS sunset,
        s.start_ns,
        s.trace_id,
        s.span_id
    FROM http AS s
    LEFT JOIN http AS c
        ON s.trace_id = c.trace_id AND s.parent_span_id = c.span_id AND c.kind = 'client'
    WHERE s.kind = 'server'
    UNION ALL
    SELECT
        c.peer,
        'client',
        c.service,
        c.version,
        NULL,
        c.method,
        c.template,
        c.path,
        c.http_status_code,
        c.request_media,
        c.response_media,
        c.deprecation,
        c.sunset,
        c.start_ns,
        c.trace_id,
        c.span_id
    FROM http AS c
    ANTI JOIN http AS s
        ON c.trace_id = s.trace_id AND c.span_id = s.parent_span_id AND s.kind = 'server'
    WHERE c.kind = 'client' AND c.peer IS NOT NULL
)
SELECT
    service,
    side,
    caller,
    caller_version,
    callee_version,
    method,
    route,
    CASE WHEN route IS NULL THEN path END AS bare_path,
    status,
    request_media,
    response_media,
    deprecation,
    sunset,
    count(*) AS n,
    min(start_ns) AS first_ns,
    max(start_ns) AS last_ns,
    min(path) AS path_example,
    arg_min(
        {'trace_id': trace_hex(trace_id), 'span_id': span_hex(span_id)},
        (start_ns, trace_id, span_id)
    ) AS example,
    sum(count(*)) OVER () AS n_all
FROM exchanges
WHERE start_ns >= $since_ns AND start_ns < $until_ns
GROUP BY ALL
ORDER BY
    n DESC, service, method, route, bare_path, side, caller, caller_version, callee_version,
    status, request_media, response_media, deprecation, sunset
LIMIT $groups_max
