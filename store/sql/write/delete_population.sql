-- All that was said of many flows at once; it is written again as a whole.
DELETE FROM findings
WHERE flow_id IS NULL
