-- Under which version of what each flow ran: its own version, and the models, policies and feature
-- flags of its decisions and evaluations. A flow that met two versions of one thing is not in it.
CREATE VIEW flow_arms AS
SELECT
    kind,
    subject,
    min(version) AS version,
    flow_id
FROM (
    SELECT
        'flow' AS kind,
        name AS subject,
        version,
        flow_id
    FROM flows
    UNION ALL
    SELECT
        arm.kind,
        arm.subject,
        arm.version,
        f.flow_id
    FROM (SELECT flow_id, unnest(decision_ids) AS decision_id FROM flows) AS f
    INNER JOIN (
        SELECT
            decision_id,
            unnest(
                [
                    {'kind': 'model', 'subject': model_name, 'version': model_version},
                    {'kind': 'policy', 'subject': policy_id, 'version': policy_version}
                ]
            ) AS arm
        FROM decisions
        UNION ALL
        SELECT
            d.decision_id,
            {'kind': 'flag', 'subject': e.key, 'version': e.value ->> '$'}
        FROM decisions AS d, json_each(d.record -> '$.feature_flags') AS e
    ) AS d ON f.decision_id = d.decision_id
    UNION ALL
    SELECT
        'flag',
        coalesce(e.attributes ->> '/feature_flag.key', ''),
        coalesce(
            e.attributes ->> '/feature_flag.result.variant',
            e.attributes ->> '/feature_flag.variant',
            e.attributes ->> '/feature_flag.result.value'
        ),
        f.flow_id
    FROM (
        SELECT trace_id, attributes FROM span_events WHERE name = 'feature_flag.evaluation'
        UNION ALL
        SELECT trace_id, attributes
        FROM logs
        WHERE
            event_name = 'feature_flag.evaluation'
            OR attributes ->> '/event.name' = 'feature_flag.evaluation'
    ) AS e
    INNER JOIN (SELECT flow_id, unnest(trace_ids) AS trace_id FROM flows) AS f
        ON trace_hex(e.trace_id) = f.trace_id
)
WHERE subject <> '' AND version <> ''
GROUP BY kind, subject, flow_id
HAVING count(DISTINCT version) = 1
