-- What was said of the population before the latest data came is not shown as if it were fresh.
SELECT
    finding_id,
    detector,
    scope,
    severity,
    flow_id,
    message,
    remedy,
    verdict,
    evidence,
    facts
FROM findings
WHERE (
        $all
        OR rowid IN (
            SELECT rowid FROM findings WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
        )
    )
    AND scope <> 'coverage'
    AND (flow_id IS NOT NULL OR generation = (SELECT generation FROM store_meta))
ORDER BY
    if($gravest, list_position(['critical', 'warning', 'info'], severity), 0) NULLS LAST,
    $gravest AND flow_id IS NOT NULL,
    detector,
    flow_id NULLS FIRST,
    finding_id
LIMIT $limit
