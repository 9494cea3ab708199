-- Findings about many flows that show something which is purged.
DELETE FROM findings
WHERE flow_id IS NULL
    AND list_has_any(
        json_extract_string(evidence, '$[*].trace_id'),
        (SELECT coalesce(list(trace_hex(trace_id)), []) FROM purge_traces)
    )
