-- Stored replays of flows in scope by how they were made and what was different: how they came out,
-- and the flow of one of them, of one that went another way if any did.
SELECT
    r.mode,
    r.scenario,
    count(*) AS flows,
    count(*) FILTER (r.verdict = 'identical') AS identical,
    count(*) FILTER (r.verdict = 'equivalent') AS equivalent,
    count(*) FILTER (r.verdict = 'diverged') AS diverged,
    count(*) FILTER (r.verdict = 'unreplayable') AS unreplayable,
    count(r.claim) AS claims,
    count(DISTINCT r.program_digest) FILTER (r.program_digest <> '') AS programs,
    coalesce(min(r.flow_id) FILTER (r.verdict = 'diverged'), min(r.flow_id)) AS example
FROM replays AS r
WHERE
    r.flow_id IN (
        SELECT flow_id
        FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
    )
GROUP BY r.mode, r.scenario
ORDER BY r.scenario NULLS FIRST, r.mode
