SELECT flow_id
FROM purge_flows
ORDER BY flow_id
