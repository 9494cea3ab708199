-- Input records that were kept aside, by reason: how many, and the first of each.
SELECT
    reason,
    count(*) AS records,
    min(source) AS source,
    arg_min(record, (source, record)) AS record,
    arg_min(excerpt, (source, record)) AS excerpt
FROM rejects
GROUP BY reason
ORDER BY records DESC, reason
