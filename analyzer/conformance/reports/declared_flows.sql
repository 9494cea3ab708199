/*
title = "Where flows leave the steps declared of them"
params = ["names", "steps", "places", "optional", "undoing"]
columns = ["name", "fault", "step", "other", "flows", "example", "trace_id", "span_id"]
*/
-- The first five lists run in parallel, one entry per declared step. A step that a message caused
-- stands under it and is the flow's own, one that ran inside a call is its callee's. Of two steps in
-- the wrong order the later declared one ended before the other began, by one and the same clock.
WITH RECURSIVE declared AS (
    SELECT
        unnest($names::VARCHAR[]) AS name,
        unnest($steps::VARCHAR[]) AS step,
        unnest($places::BIGINT[]) AS place,
        unnest($optional::BOOLEAN[]) AS optional,
        unnest($undoing::BOOLEAN[]) AS undoing
),

asked AS (
    SELECT
        flow_id,
        name,
        outcome,
        complete
    FROM flows
    WHERE name IN (SELECT name FROM declared)
),

own AS (
    SELECT
        s.flow_id,
        s.ordinal,
        s.step_id,
        s.kind
    FROM steps AS s
    INNER JOIN asked AS f ON s.flow_id = f.flow_id
    WHERE s.parent_step_id IS NULL
    UNION
    SELECT
        s.flow_id,
        s.ordinal,
        s.step_id,
        s.kind
    FROM steps AS s
    INNER JOIN own AS o ON s.flow_id = o.flow_id AND s.parent_step_id = o.step_id
    WHERE o.kind = 'message'
),

ran AS (
    SELECT
        f.flow_id,
        f.name,
        s.ordinal,
        s.service,
        s.start_ns,
        s.end_ns,
        s.callee,
        s.kind,
        coalesce(s.saga_step, s.operation) AS label,
        d.step,
        d.place,
        d.undoing,
        {'t': a.trace_id, 's': a.span_id} AS id
    FROM asked AS f
    INNER JOIN own AS o ON f.flow_id = o.flow_id
    INNER JOIN steps AS s ON o.flow_id = s.flow_id AND o.ordinal = s.ordinal
    INNER JOIN attempts AS a
        ON s.flow_id = a.flow_id AND s.ordinal = a.step_ordinal AND a.ordinal = 0
    LEFT JOIN declared AS d
        ON f.name = d.name AND d.step IN (s.saga_step, s.name, s.operation)
),

firsts AS (
    SELECT
        flow_id,
        name,
        step,
        place,
        service,
        min(start_ns) AS start_ns,
        min(end_ns) AS end_ns,
        min(id) AS id
    FROM ran
    WHERE step IS NOT NULL AND NOT undoing
    GROUP BY flow_id, name, step, place, service
),

faults AS (
    SELECT
        f.name,
        CASE WHEN f.complete THEN 'missing' ELSE 'not seen' END AS fault,
        d.step,
        '' AS other,
        f.flow_id,
        NULL AS id
    FROM asked AS f
    INNER JOIN declared AS d ON f.name = d.name AND NOT d.optional AND NOT d.undoing
    LEFT JOIN (SELECT DISTINCT flow_id, step FROM firsts) AS r
        ON f.flow_id = r.flow_id AND d.step = r.step
    LEFT JOIN (SELECT flow_id, max(place) AS place FROM firsts GROUP BY flow_id) AS l
        ON f.flow_id = l.flow_id
    WHERE r.step IS NULL AND (f.outcome = 'succeeded' OR l.place > d.place)
    UNION ALL
    SELECT
        name,
        'undeclared' AS fault,
        label AS step,
        callee AS other,
        flow_id,
        id
    FROM ran
    WHERE step IS NULL AND (callee <> '' OR kind IN ('gate', 'decision', 'compensation'))
    UNION ALL
    SELECT
        a.name,
        'out of order' AS fault,
        b.step,
        a.step AS other,
        a.flow_id,
        b.id
    FROM firsts AS a
    INNER JOIN firsts AS b
        ON a.flow_id = b.flow_id AND a.service = b.service AND a.place < b.place
    WHERE b.end_ns <= a.start_ns
),

totals AS (
    SELECT
        name,
        '' AS fault,
        '' AS step,
        '' AS other,
        count(*) AS flows,
        min(flow_id) AS example,
        NULL::STRUCT(t UUID, s UBIGINT) AS id
    FROM asked
    GROUP BY name
    UNION ALL
    SELECT
        name,
        fault,
        step,
        other,
        count(DISTINCT flow_id) AS flows,
        min(flow_id) AS example,
        min(id) AS id
    FROM faults
    GROUP BY name, fault, step, other
    UNION ALL
    SELECT
        name,
        CASE WHEN fault = 'not seen' THEN 'any not seen' ELSE 'any' END AS fault,
        '' AS step,
        '' AS other,
        count(DISTINCT flow_id) AS flows,
        min(flow_id) AS example,
        NULL::STRUCT(t UUID, s UBIGINT) AS id
    FROM faults
    GROUP BY name, CASE WHEN fault = 'not seen' THEN 'any not seen' ELSE 'any' END
)

SELECT
    name,
    fault,
    step,
    other,
    flows,
    example,
    trace_hex(id.t) AS trace_id,
    span_hex(id.s) AS span_id
FROM totals
ORDER BY name, fault, step, other
