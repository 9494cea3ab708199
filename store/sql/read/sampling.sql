SELECT sampling, sampling_weight, count(*)
FROM flows
WHERE $all OR flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
GROUP BY ALL
ORDER BY sampling, sampling_weight NULLS FIRST
