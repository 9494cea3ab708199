-- An incident was declared by somebody: it stays, without the flows that are gone.
UPDATE incidents SET flow_ids = list_filter(
    flow_ids, lambda flow_id: NOT list_contains($flow_ids::VARCHAR[], flow_id)
)
WHERE list_has_any(flow_ids, $flow_ids::VARCHAR[])
