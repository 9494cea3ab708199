-- Environments of flows and services of spans: what a bar of filters offers.
SELECT 'environment' AS kind, name
FROM (SELECT DISTINCT unnest(environments) AS name FROM flow_heads)
UNION ALL
SELECT 'service' AS kind, service AS name
FROM (SELECT DISTINCT service FROM spans)
ORDER BY kind, name
