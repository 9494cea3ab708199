-- Only the batch's stretch of time is searched.
SELECT l.time_ns, l.content_hash
FROM logs AS l
SEMI JOIN incoming AS i ON l.time_ns = i.time_ns AND l.content_hash = i.content_hash
WHERE l.time_ns BETWEEN (SELECT min(time_ns) FROM incoming) AND (SELECT max(time_ns) FROM incoming)
ORDER BY ALL
