/*
title = "What each service's calls of others do not tell"
params = ["since_ns", "until_ns", "low_ns", "high_ns", "first_ns", "heard"]
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
-- An open breaker lets nothing out, so no callee can have seen it.
-- `calls` are attempts that leave their service; a mutating one may change something there.
WITH within AS MATERIALIZED (
    SELECT *
    FROM attempts
    WHERE
        start_ns BETWEEN $low_ns AND $high_ns
        AND trace_id IN (SELECT trace_id FROM traces_within($since_ns::BIGINT, $until_ns::BIGINT))
),

theirs AS MATERIALIZED (
    SELECT *
    FROM steps
    WHERE
        start_ns BETWEEN $first_ns AND $high_ns
        AND flow_id IN (SELECT flow_id FROM within)
),

heard AS (
    SELECT unnest($heard::VARCHAR[]) AS service
),

calls AS (
    SELECT
        s.service,
        {'t': a.trace_id, 's': a.span_id} AS id,
        s.callee IN ('', 'unknown') AS anonymous,
        h.service IS NOT NULL AS instrumented,
        a.callee_span_id IS NULL AND coalesce(a.breaker_state, '') <> 'open' AS unanswered,
        a.outcome = 'unknown' AS undecided,
        NOT a.has_request OR s.kind <> 'message' AND NOT a.has_response AND a.outcome = 'ok'
            AS bodiless,
        s.kind = 'message' AS sent,
        c.db_system IS NOT NULL AS database,
        a.timeout_ms IS NULL AS patient,
        s.kind <> 'decision' AND regexp_matches(s.operation, '^(POST|PUT|PATCH|DELETE) ')
            AS mutating,
        a.idempotency_key IS NULL AS keyless,
        s.role IS NULL OR s.role_grade > 3 AS roleless,
        s.role IN ('compensatable', 'compensation') AS undoable,
        s.resource IS NULL AS resourceless
    FROM within AS a
    INNER JOIN theirs AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    LEFT JOIN (
        SELECT trace_id, span_id, db_system
        FROM spans
        WHERE start_ns BETWEEN $low_ns AND $high_ns AND db_system IS NOT NULL
    ) AS c ON a.trace_id = c.trace_id AND a.span_id = c.span_id
    LEFT JOIN heard AS h ON s.callee = h.service
    WHERE s.kind IN ('call', 'decision', 'message', 'compensation') AND s.callee <> s.service
),

counted AS (
    SELECT
        service,
        [
            {'gap': 'missing_callee_name', 'checked': count(*), 'n': count(*) FILTER (anonymous),
             'open': 0, 'id': min(id) FILTER (anonymous)},
            {'gap': 'callee_unheard', 'checked': count(*) FILTER (NOT anonymous AND NOT database),
             'n': count(*) FILTER (NOT anonymous AND NOT database AND NOT instrumented),
             'open': 0,
             'id': min(id) FILTER (NOT anonymous AND NOT database AND NOT instrumented)},
            {'gap': 'client_without_server',
             'checked': count(*) FILTER (anonymous OR instrumented),
             'n': count(*) FILTER (instrumented AND unanswered),
             'open': count(*) FILTER (anonymous AND unanswered),
             'id': min(id) FILTER (instrumented AND unanswered)},
            {'gap': 'missing_call_outcome', 'checked': count(*), 'n': count(*) FILTER (undecided),
             'open': 0, 'id': min(id) FILTER (undecided)},
            {'gap': 'missing_body', 'checked': count(*), 'n': count(*) FILTER (bodiless),
             'open': 0, 'id': min(id) FILTER (bodiless)},
            {'gap': 'missing_timeout', 'checked': count(*) FILTER (NOT sent),
             'n': count(*) FILTER (patient AND NOT sent), 'open': 0,
             'id': min(id) FILTER (patient AND NOT sent)},
            {'gap': 'missing_idempotency_key', 'checked': count(*) FILTER (mutating),
             'n': count(*) FILTER (mutating AND keyless), 'open': 0,
             'id': min(id) FILTER (mutating AND keyless)},
            {'gap': 'missing_saga_role', 'checked': count(*) FILTER (mutating),
             'n': count(*) FILTER (mutating AND roleless), 'open': 0,
             'id': min(id) FILTER (mutating AND roleless)},
            {'gap': 'missing_saga_resource', 'checked': count(*) FILTER (undoable),
             'n': count(*) FILTER (undoable AND resourceless), 'open': 0,
             'id': min(id) FILTER (undoable AND resourceless)}
        ] AS gaps
    FROM calls
    GROUP BY service
),

rows AS (
    SELECT
        service,
        unnest(gaps) AS item
    FROM counted
)

SELECT
    item.gap AS gap,
    service,
    item.checked AS checked,
    item.n AS affected,
    item.open::BIGINT AS undetermined,
    trace_hex(item.id.t) AS trace_id,
    span_hex(item.id.s) AS span_id
FROM rows
ORDER BY gap, service
