-- The times that belong to the undoing of flows in scope.
SELECT undoing AS kind, undoing_ns AS times_ns
FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
WHERE has_saga AND len(undoing_ns) > 0
ORDER BY undoing, start_ns, flow_id
