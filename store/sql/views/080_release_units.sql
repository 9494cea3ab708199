-- What releases are compared by: requests that services handled and flows, each with its version.
-- `failed` and `unsound` are NULL where that cannot be told; a service's request is never unsound.
CREATE VIEW release_units AS
SELECT
    'service' AS kind,
    service AS subject,
    resource ->> '/service.version' AS version,
    start_ns,
    status = 'error' OR coalesce(http_status_code >= 500, false) AS failed,
    CAST(NULL AS BOOLEAN) AS unsound,
    CAST(NULL AS VARCHAR) AS variant,
    CAST(NULL AS VARCHAR) AS flow_id,
    false AS is_unknown_sampling
FROM spans
WHERE kind IN ('server', 'consumer') AND end_ns IS NOT NULL
UNION ALL
SELECT
    a.kind,
    a.subject,
    a.version,
    f.start_ns,
    CASE
        WHEN f.outcome IN ('unknown', 'in_progress') THEN NULL
        ELSE f.outcome IN ('failed', 'compensation_failed', 'partially_compensated')
    END,
    CASE
        WHEN s.is_violated OR f.outcome IN ('compensation_failed', 'partially_compensated')
            THEN true
        WHEN s.is_unknown OR f.outcome IN ('unknown', 'in_progress') THEN NULL
        ELSE false
    END,
    f.variant,
    f.flow_id,
    f.sampling = 'unknown'
FROM flow_arms AS a
INNER JOIN flows AS f ON a.flow_id = f.flow_id
LEFT JOIN (
    SELECT
        flow_id,
        bool_or(verdict = 'violation') AS is_violated,
        bool_or(verdict IN ('unknown', 'open')) AS is_unknown
    FROM sagas
    GROUP BY flow_id
) AS s ON f.flow_id = s.flow_id
