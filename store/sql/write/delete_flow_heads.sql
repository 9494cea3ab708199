DELETE FROM flow_heads
WHERE flow_id IN (SELECT flow_id FROM outdated)
