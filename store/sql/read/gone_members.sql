SELECT count(*)
FROM members AS m
ANTI JOIN traces AS t ON m.trace_id::UUID = t.trace_id
