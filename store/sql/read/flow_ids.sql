SELECT flow_id
FROM flows
ORDER BY flow_id
