/*
title = "What is known of encryption and authentication of each pair's calls"
params = []
columns = ["caller", "callee", "calls", "encrypted", "plaintext", "authenticated",
    "unauthenticated", "refused", "plain_trace", "plain_span", "open_trace", "open_span"]
*/
-- What the caller or the callee recorded of the call; a mesh may encrypt what both see as plain.
WITH calls AS (
    SELECT
        s.service AS caller,
        s.callee,
        {'t': a.trace_id, 's': a.span_id} AS id,
        a.http_status = 401 AS refused,
        c.attributes AS ours,
        h.attributes AS theirs,
        coalesce(
            c.attributes ->> '/url.scheme',
            c.attributes ->> '/http.scheme',
            regexp_extract(
                coalesce(c.attributes ->> '/url.full', c.attributes ->> '/http.url', ''),
                '^([a-z]+)://', 1
            )
        ) AS scheme
    FROM steps AS s
    INNER JOIN attempts AS a ON s.flow_id = a.flow_id AND s.ordinal = a.step_ordinal
    INNER JOIN spans AS c ON a.trace_id = c.trace_id AND a.span_id = c.span_id
    LEFT JOIN spans AS h ON a.trace_id = h.trace_id AND a.callee_span_id = h.span_id
    WHERE s.callee <> '' AND s.callee <> s.service AND c.kind IN ('client', 'producer')
),

flagged AS (
    SELECT
        caller,
        callee,
        id,
        coalesce(refused, false) AS refused,
        scheme IN ('https', 'wss', 'grpcs', 'amqps')
        OR (ours ->> '/tls.protocol.version') IS NOT NULL
        OR (theirs ->> '/tls.protocol.version') IS NOT NULL
        OR coalesce(ours ->> '/tls.established', theirs ->> '/tls.established') = 'true'
            AS encrypted,
        scheme IN ('http', 'ws', 'amqp')
        OR coalesce(ours ->> '/tls.established', theirs ->> '/tls.established') = 'false'
            AS plain,
        (ours ->> '/http.request.header.authorization') IS NOT NULL
        OR (theirs ->> '/http.request.header.authorization') IS NOT NULL
        OR (theirs ->> '/enduser.id') IS NOT NULL
        OR (theirs ->> '/user.id') IS NOT NULL
        OR (theirs ->> '/tls.client.subject') IS NOT NULL
        OR coalesce(ours ->> '/retrospan.auth.method', theirs ->> '/retrospan.auth.method', 'none')
        <> 'none' AS authenticated,
        coalesce(ours ->> '/retrospan.auth.method', theirs ->> '/retrospan.auth.method') = 'none'
            AS bare
    FROM calls
)

SELECT
    caller,
    callee,
    count(*) AS calls,
    count(*) FILTER (coalesce(encrypted, false)) AS encrypted,
    count(*) FILTER (plain AND NOT coalesce(encrypted, false)) AS plaintext,
    count(*) FILTER (coalesce(authenticated, false)) AS authenticated,
    count(*) FILTER (bare AND NOT coalesce(authenticated, false)) AS unauthenticated,
    count(*) FILTER (refused) AS refused,
    trace_hex(min(id) FILTER (plain AND NOT coalesce(encrypted, false)).t) AS plain_trace,
    span_hex(min(id) FILTER (plain AND NOT coalesce(encrypted, false)).s) AS plain_span,
    trace_hex(min(id) FILTER (bare AND NOT coalesce(authenticated, false)).t) AS open_trace,
    span_hex(min(id) FILTER (bare AND NOT coalesce(authenticated, false)).s) AS open_span
FROM flagged
GROUP BY caller, callee
ORDER BY caller, callee
