-- How many of some flows have a stored replay with a what-if, and how many of these make a claim.
SELECT
    count(*) AS kept,
    count(claim) AS claims
FROM replays
WHERE scenario = $scenario AND mode = 'trace' AND flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
