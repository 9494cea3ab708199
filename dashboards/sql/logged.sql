-- How many decisions the log holds, purged ones too.
SELECT count(*) AS leaves
FROM decision_leaves
ORDER BY leaves
