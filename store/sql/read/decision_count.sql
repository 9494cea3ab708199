SELECT count(*)
FROM decisions
