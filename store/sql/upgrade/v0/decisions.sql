-- Schema 0 did not number decisions: the order in which they were stored is that of the rows.
SELECT *, row_number() OVER (ORDER BY rowid) - 1 AS leaf_index
FROM decisions
