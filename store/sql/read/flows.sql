-- By row number: only the column that chooses is read as a whole.
SELECT
    flow_id,
    name,
    version,
    start_ns,
    end_ns,
    service,
    span_count,
    architecture,
    replayability,
    complete,
    sampling,
    variant,
    outcome,
    sampling_weight,
    services,
    trace_ids,
    decision_ids,
    ties,
    evidence_gaps,
    input,
    output,
    draws,
    critical_path
FROM flows
WHERE (
        $all
        OR rowid IN (
            SELECT rowid FROM flows WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
        )
    )
    AND ($since_ns IS NULL OR start_ns >= $since_ns)
    AND ($until_ns IS NULL OR start_ns < $until_ns)
    AND ($service IS NULL OR list_contains(services, $service) OR service = $service)
    AND ($outcome IS NULL OR outcome = $outcome)
    AND ($name IS NULL OR name = $name)
    AND ($version IS NULL OR version = $version)
ORDER BY start_ns, flow_id
LIMIT $limit
