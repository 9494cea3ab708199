-- Heads of flows that began in [since, until), in an environment, with any of the services; what is
-- NULL narrows nothing.
CREATE MACRO heads_within(since_ns, until_ns, environment, some_services) AS TABLE
SELECT *
FROM flow_heads AS h
WHERE
    (since_ns IS NULL OR h.start_ns >= since_ns)
    AND (until_ns IS NULL OR h.start_ns < until_ns)
    AND (environment IS NULL OR list_contains(h.environments, environment))
    AND (some_services IS NULL OR list_has_any(h.services, some_services))
