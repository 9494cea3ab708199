/*
title = "Values among these names that more flows bear than one value may tie"
params = ["names", "flows_max"]
columns = ["name"]
*/
SELECT alias AS name
FROM flow_aliases
WHERE alias IN (SELECT unnest($names::VARCHAR[]))
    AND (
        starts_with(alias, 'conversation ')
        OR starts_with(alias, 'message ')
        OR starts_with(alias, 'corr:')
    )
GROUP BY alias
HAVING count(DISTINCT flow_id) > $flows_max
ORDER BY alias
