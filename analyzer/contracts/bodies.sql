/*
title = "Recorded bodies of HTTP exchanges: how many of each shape, and some of each"
params = ["services", "since_ns", "until_ns", "per_shape", "rows_max", "characters_max"]
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
        http_status_code AS status,
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
        coalesce(said[8], said[9]) AS request,
        coalesce(said[10], said[11]) AS response,
        coalesce(said[12], said[13]) AS request_media,
        coalesce(said[14], said[15]) AS response_media,
        resource ->> '/service.version' AS version,
        coalesce(said[16], 'false') <> 'false'
        OR (said[17]) IS NOT NULL AS is_cut
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
                    '/http.request.body.content', -- 8
                    '/http.request.body', -- 9
                    '/http.response.body.content', -- 10
                    '/http.response.body', -- 11
                    '/http.request.header.content-type/0', -- 12
                    '/http.request.header.content-type', -- 13
                    '/http.response.header.content-type/0', -- 14
                    '/http.response.header.content-type', -- 15
                    '/retrospan.body.truncated', -- 16
                    '/retrospan.truncated' -- 17
                ]
            ) AS said
        FROM spans
        WHERE kind IN ('server', 'client') AND http_method IS NOT NULL
    )
),
exchanges AS (
    SELECT
        s.service,
        c.service AS caller,
        c.version AS caller_version,
        s.method,
        coalesce(s.http_route, c.template) AS route,
        coalesce(nullif(s.path, ''), c.path) AS path,
        s.start_ns,
        s.trace_id,
        s.span_id,
        coalesce(s.status, c.status) AS status,
        unnest(
            [
                {
                    'part': 'request',
                    'body': coalesce(s.request, c.request),
                    'media': coalesce(s.request_media, c.request_media),
                    'is_cut': CASE WHEN s.request IS NULL THEN c.is_cut ELSE s.is_cut END
                },
                {
                    'part': 'response',
                    'body': coalesce(s.response, c.response),
                    'media': coalesce(s.response_media, c.response_media),
                    'is_cut': CASE WHEN s.response IS NULL THEN c.is_cut ELSE s.is_cut END
                }
            ]
        ) AS one
    FROM http AS s
    LEFT JOIN http AS c
        ON s.trace_id = c.trace_id AND s.parent_span_id = c.span_id AND c.kind = 'client'
    WHERE s.kind = 'server' AND list_contains($services::VARCHAR[], s.service)
    UNION ALL
    SELECT
        c.peer,
        c.service,
        c.version,
        c.method,
        c.template,
        c.path,
        c.start_ns,
        c.trace_id,
        c.span_id,
        c.status,
        unnest(
            [
                {
                    'part': 'request', 'body': c.request, 'media': c.request_media,
                    'is_cut': c.is_cut
                },
                {
                    'part': 'response', 'body': c.response, 'media': c.response_media,
                    'is_cut': c.is_cut
                }
            ]
        )
    FROM http AS c
    ANTI JOIN http AS s
        ON c.trace_id = s.trace_id AND c.span_id = s.parent_span_id AND s.kind = 'server'
    WHERE c.kind = 'client' AND list_contains($services::VARCHAR[], c.peer)
),
shaped AS (
    SELECT
        service,
        caller,
        caller_version,
        method,
        route,
        CASE WHEN route IS NULL THEN path END AS bare_path,
        status,
        one.part AS part,
        one.media AS media,
        coalesce(one.is_cut, false) OR length(one.body) > $characters_max AS is_cut,
        CASE
            WHEN length(one.body) <= $characters_max AND json_valid(one.body)
                THEN md5(json_structure(one.body)::VARCHAR)
        END AS shape,
        {
            'body': CASE WHEN length(one.body) <= $characters_max THEN one.body END,
            'trace_id': trace_hex(trace_id),
            'span_id': span_hex(span_id)
        } AS sample,
        md5(trace_hex(trace_id) || span_hex(span_id)) AS draw
    FROM exchanges
    WHERE one.body IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
)
SELECT
    service,
    caller,
    caller_version,
    method,
    route,
    bare_path,
    status,
    part,
    media,
    is_cut,
    shape,
    count(*) AS n,
    arg_min(sample, draw, $per_shape) AS samples
FROM shaped
GROUP BY ALL
ORDER BY
    n DESC, service, caller, caller_version, method, route, bare_path, status, part, media,
    is_cut, shape
LIMIT $rows_max
