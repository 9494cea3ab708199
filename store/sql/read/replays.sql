-- By row number: only the column that chooses is read as a whole.
SELECT
    flow_id,
    mode,
    scenario,
    verdict,
    digest,
    outcome,
    virtual_duration_ns,
    virtual_low_ns,
    virtual_high_ns,
    program_digest,
    program_flows,
    leave_one_out,
    claim,
    control_verdict,
    control_digest,
    reason,
    flags,
    divergences,
    answers,
    events
FROM replays
WHERE $all
    OR rowid IN (
        SELECT rowid FROM replays WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
    )
ORDER BY flow_id, mode, scenario NULLS FIRST
