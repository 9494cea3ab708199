INSERT INTO derivations
SELECT coalesce(max(number), 0) + 1, $flows
FROM derivations
