-- Never a place that a leaf has or had, also where decisions were taken out by other means.
SELECT coalesce(max(leaf_index) + 1, 0)
FROM decision_leaves
