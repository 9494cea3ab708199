-- By row number: only the columns that choose are read, and of those no time before the flows.
SELECT
    flow_id,
    ordinal,
    step_id,
    key,
    name,
    kind,
    service,
    callee,
    operation,
    start_ns,
    end_ns,
    parent_step_id,
    saga_id,
    saga_step,
    role,
    role_grade,
    compensates,
    compensates_grade,
    resource,
    currency,
    max_attempts,
    backoff_initial_ms,
    outcome,
    amount_text,
    backoff_text
FROM steps
WHERE
    rowid IN (
        SELECT rowid
        FROM steps
        WHERE
            start_ns >= $first_ns
            AND flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
    )
ORDER BY flow_id, ordinal
