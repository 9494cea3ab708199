-- Flows of one shape: the same steps, one after the other or side by side, with the same ends.
SELECT flow_id
FROM flows
WHERE variant = $shape
ORDER BY flow_id
