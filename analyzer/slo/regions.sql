/*
title = "The cloud regions each flow ran in"
params = []
columns = ["flow_id", "regions"]
*/
-- Resources are few and spans many: only where a service runs in several regions are spans looked
-- at one by one.
WITH placed AS (
    SELECT DISTINCT service, resource, resource ->> '/cloud.region' AS region
    FROM (SELECT DISTINCT service, resource FROM spans)
),

services AS (
    SELECT service, min(region) AS region, count(DISTINCT coalesce(region, '')) AS regions
    FROM placed
    GROUP BY service
),

met AS (
    SELECT f.flow_id, s.region
    FROM (SELECT flow_id, unnest(services) AS service FROM flows) AS f
    INNER JOIN services AS s ON f.service = s.service
    WHERE s.regions = 1 AND s.region IS NOT NULL
    UNION
    SELECT m.flow_id, p.region
    FROM spans AS s
    INNER JOIN placed AS p ON s.service = p.service AND s.resource = p.resource
    INNER JOIN flow_members AS m ON s.trace_id = m.trace_id AND s.span_id = m.span_id
    WHERE
        p.region IS NOT NULL
        AND s.service IN (SELECT service FROM services WHERE regions > 1)
)

SELECT flow_id, list(region ORDER BY region) AS regions
FROM met
GROUP BY flow_id
ORDER BY flow_id
