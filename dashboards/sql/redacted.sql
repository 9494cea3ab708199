-- Where redaction put a token in the place of a secret, in the records of a time: how often, how
-- many different ones, whether the whole value is one. Equal secrets have equal tokens. Refused
-- records have no time: all of them are looked at.
WITH values_of AS (
    SELECT 'span attribute' AS place, e.key AS name, e.value::VARCHAR AS value
    FROM spans AS s, json_each(s.attributes) AS e
    WHERE
        s.start_ns >= $low_ns::BIGINT
        AND s.start_ns < $high_ns::BIGINT
        AND contains(s.attributes, '[redacted:')
    UNION ALL
    SELECT 'resource attribute', e.key, e.value::VARCHAR
    FROM spans AS s, json_each(s.resource) AS e
    WHERE
        s.start_ns >= $low_ns::BIGINT
        AND s.start_ns < $high_ns::BIGINT
        AND contains(s.resource, '[redacted:')
    UNION ALL
    SELECT 'span', unnest(['name', 'status message']), unnest([name, status_message])
    FROM spans
    WHERE
        start_ns >= $low_ns::BIGINT
        AND start_ns < $high_ns::BIGINT
        AND (contains(name, '[redacted:') OR contains(status_message, '[redacted:'))
    UNION ALL
    SELECT 'event attribute', e.key, e.value::VARCHAR
    FROM span_events AS s, json_each(s.attributes) AS e
    WHERE
        s.span_start_ns >= $low_ns::BIGINT
        AND s.span_start_ns < $high_ns::BIGINT
        AND contains(s.attributes, '[redacted:')
    UNION ALL
    SELECT 'log attribute', e.key, e.value::VARCHAR
    FROM logs AS s, json_each(s.attributes) AS e
    WHERE
        s.time_ns >= $low_ns::BIGINT
        AND s.time_ns < $high_ns::BIGINT
        AND contains(s.attributes, '[redacted:')
    UNION ALL
    SELECT 'log', 'body', body::VARCHAR
    FROM logs
    WHERE
        time_ns >= $low_ns::BIGINT
        AND time_ns < $high_ns::BIGINT
        AND contains(body, '[redacted:')
    UNION ALL
    SELECT 'decision', e.key, e.value::VARCHAR
    FROM decisions AS s, json_each(s.record) AS e
    WHERE
        s.time_ns >= $low_ns::BIGINT
        AND s.time_ns < $high_ns::BIGINT
        AND contains(s.record, '[redacted:')
    UNION ALL
    SELECT 'refused record', 'its beginning', excerpt
    FROM rejects
    WHERE contains(excerpt, '[redacted:')
),

found AS (
    SELECT
        place,
        name,
        regexp_full_match(value, '"?([A-Za-z]+ )?\[redacted:[0-9a-f]{12}\]"?') AS whole,
        unnest(regexp_extract_all(value, '\[redacted:[0-9a-f]{12}\]')) AS token
    FROM values_of
    WHERE contains(value, '[redacted:')
)

SELECT
    place,
    name,
    count(*) AS found,
    count(*) FILTER (WHERE whole) AS whole,
    count(DISTINCT token) AS different
FROM found
GROUP BY place, name
ORDER BY found DESC, place, name
