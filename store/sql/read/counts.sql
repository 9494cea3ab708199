-- The data's time is that of its spans; of logs and decisions only where there are no spans.
SELECT
    (SELECT generation FROM store_meta) AS generation,
    (SELECT count(*) FROM spans) AS spans,
    (SELECT count(*) FROM logs) AS logs,
    (SELECT count(*) FROM decisions) AS decisions,
    (SELECT count(*) FROM rejects) AS rejects,
    (SELECT count(*) FROM flows) AS flows,
    (SELECT count(*) FROM dirty_traces) AS underived_traces,
    coalesce(
        (SELECT min(min_ns) FROM traces),
        least(
            (SELECT min(time_ns) FROM logs WHERE time_ns > 0),
            (SELECT min(time_ns) FROM decisions)
        )
    ) AS data_start_ns,
    coalesce(
        (SELECT max(max_ns) FROM traces),
        greatest((SELECT max(time_ns) FROM logs), (SELECT max(time_ns) FROM decisions))
    ) AS data_end_ns
