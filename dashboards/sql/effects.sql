-- Amounts of the effects left standing, per flow in scope and currency.
SELECT flow_id, currency, amount, effects
FROM flow_effects
WHERE
    ($since_ns::BIGINT IS NULL OR start_ns >= $since_ns::BIGINT)
    AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns::BIGINT)
    AND flow_id IN (
        SELECT flow_id
        FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
        WHERE
            effects > 0
            AND (
                $flow_ids::VARCHAR[] IS NULL
                OR flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
            )
    )
ORDER BY flow_id, currency
