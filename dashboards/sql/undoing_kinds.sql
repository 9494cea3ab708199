-- The kinds of undoing of any flow, as they were written.
SELECT kind, contents::VARCHAR AS contents
FROM flow_kinds
WHERE kind IN (SELECT undoing FROM flow_heads)
ORDER BY kind
