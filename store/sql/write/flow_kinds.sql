-- Kinds that no flow was of until now.
INSERT INTO flow_kinds
SELECT kind, contents
FROM (
    SELECT kind, contents::VARCHAR AS contents FROM fresh_facts
    UNION
    SELECT md5_number_lower(contents) AS kind, contents FROM undoings
)
WHERE kind NOT IN (SELECT kind FROM flow_kinds)
ORDER BY kind
