-- Where redaction put a token in the place of a secret, in the records of a time: how often, how
-- many different ones, whether the whole value is one. Equal secrets have equal tokens. Refused
-- records have no time: all of them are looked at.
WITH within AS (
    SELECT name, status_message, attributes, resource
    FROM spans
    WHERE start_ns >= $low_ns::BIGINT AND start_ns < $high_ns::BIGINT
),

logged AS (
    SELECT body, attributes
    FROM logs
    WHERE time_ns >= $low_ns::BIGINT AND time_ns < $high_ns::BIGINT
),

fielded AS (
    SELECT 'span attribute' AS place, attributes AS fields FROM within
    UNION ALL
    SELECT 'resource attribute', resource FROM within
    UNION ALL
    SELECT 'span', json_object('name', name, 'status message', status_message)
    FROM within
    WHERE contains(name, '[redacted:') OR contains(status_message, '[redacted:')
    UNION ALL
    SELECT 'event attribute', attributes
    FROM span_events
    WHERE span_start_ns >= $low_ns::BIGINT AND span_start_ns < $high_ns::BIGINT
    UNION ALL
    SELECT 'log attribute', attributes FROM logged
    UNION ALL
    SELECT 'log', json_object('body', body) FROM logged WHERE contains(body, '[redacted:')
    UNION ALL
    SELECT 'decision', record
    FROM decisions
    WHERE time_ns >= $low_ns::BIGINT AND time_ns < $high_ns::BIGINT
    UNION ALL
    SELECT 'refused record', json_object('its beginning', excerpt) FROM rejects
),

found AS (
    SELECT
        f.place,
        e.key AS name,
        regexp_full_match(e.value::VARCHAR, '"([A-Za-z]+ )?\[redacted:[0-9a-f]{12}\]"') AS whole,
        unnest(regexp_extract_all(e.value::VARCHAR, '\[redacted:[0-9a-f]{12}\]')) AS token
    FROM fielded AS f, json_each(f.fields) AS e
    WHERE contains(f.fields, '[redacted:')
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
