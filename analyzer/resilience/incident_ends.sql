/*
title = "When known incidents began and were mitigated"
params = []
columns = ["incident_id", "start_ns", "mitigated_ns"]
*/
SELECT incident_id, start_ns, mitigated_ns
FROM incidents
WHERE mitigated_ns IS NOT NULL
ORDER BY mitigated_ns, incident_id
