/*
title = "How many flows there are, and of how many it is not known what sampling left out"
params = []
columns = ["flows", "unsampled"]
*/
SELECT
    count(*) AS flows,
    count(*) FILTER (sampling = 'unknown') AS unsampled
FROM flows
ORDER BY 1
