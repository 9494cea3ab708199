-- Flows with a span that bears this attribute, or whose resource does, with this text.
SELECT DISTINCT m.flow_id
FROM spans AS s
INNER JOIN flow_members AS m ON s.trace_id = m.trace_id AND s.span_id = m.span_id
WHERE
    json_extract_string(s.attributes, $pointer) = $value
    OR json_extract_string(s.resource, $pointer) = $value
ORDER BY m.flow_id
