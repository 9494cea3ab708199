-- Amounts of the effects left standing, per flow in scope and currency.
SELECT flow_id, currency, sum(amount) AS amount, count(*) AS effects
FROM residual_effects
WHERE
    flow_id IN (
        SELECT flow_id
        FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
        WHERE
            effects > 0
            AND (
                $flow_ids::VARCHAR[] IS NULL
                OR flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
            )
    )
GROUP BY flow_id, currency
ORDER BY flow_id, currency
