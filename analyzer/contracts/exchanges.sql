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
        coalesce(
            attributes ->> '/service.peer.name', attributes ->> '/peer.service', server_address
        ) AS peer,
        attributes ->> '/url.template' AS template,
        split_part(
            regexp_replace(
                coalesce(
                    attributes ->> '/url.path',
                    attributes ->> '/http.target',
                    attributes ->> '/url.full',
                    attributes ->> '/http.url'
                ),
                '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*',
                ''
            ),
            '?',
            1
        ) AS path,
        resource ->> '/service.version' AS version,
        coalesce(
            attributes ->> '/http.request.header.content-type/0',
            attributes ->> '/http.request.header.content-type',
            attributes ->> '/http.request.header.content_type/0'
        ) AS request_media,
        coalesce(
            attributes ->> '/http.response.header.content-type/0',
            attributes ->> '/http.response.header.content-type',
            attributes ->> '/http.response.header.content_type/0'
        ) AS response_media,
        coalesce(
            attributes ->> '/http.response.header.deprecation/0',
            attributes ->> '/http.response.header.deprecation'
        ) AS deprecation,
        coalesce(
            attributes ->> '/http.response.header.sunset/0',
            attributes ->> '/http.response.header.sunset'
        ) AS sunset
    FROM spans
    WHERE kind IN ('server', 'client') AND http_method IS NOT NULL
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
