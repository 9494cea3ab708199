SELECT
    (
        SELECT count(*)
        FROM sagas
        WHERE verdict = 'violation'
            AND ($all OR flow_id IN (SELECT unnest($flow_ids::VARCHAR[])))
    ) AS sagas,
    (
        SELECT count(*)
        FROM findings
        WHERE verdict = 'violation'
            AND scope <> 'coverage'
            AND ($all OR flow_id IN (SELECT unnest($flow_ids::VARCHAR[])))
            AND (flow_id IS NOT NULL OR generation = (SELECT generation FROM store_meta))
    ) AS findings
