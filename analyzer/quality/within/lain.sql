/*
title = "Where in time the traces lie that began in a range"
params = ["since_ns", "until_ns"]
*/
SELECT
    coalesce(min(min_ns), 0) AS low_ns,
    coalesce(max(max_ns), 0) AS high_ns
FROM traces_within($since_ns::BIGINT, $until_ns::BIGINT)
ORDER BY low_ns
