DELETE FROM dirty_traces
WHERE $everything OR trace_id IN (SELECT trace_id::UUID FROM derived)
