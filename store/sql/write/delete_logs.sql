DELETE FROM logs AS l
USING outdated AS o
WHERE l.time_ns = o.time_ns AND l.content_hash = o.content_hash
