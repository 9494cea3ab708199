-- Amounts of the effects left standing in scope, by currency; those that tell no amount have none.
SELECT
    currency,
    sum(amount) AS amount,
    sum(effects)::BIGINT AS effects,
    sum(told)::BIGINT AS told
FROM flow_effects
WHERE
    ($since_ns::BIGINT IS NULL OR start_ns >= $since_ns::BIGINT)
    AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns::BIGINT)
    AND (
        ($environment::VARCHAR IS NULL AND $services::VARCHAR[] IS NULL)
        OR flow_id IN (
            SELECT flow_id
            FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
            WHERE effects > 0
        )
    )
GROUP BY currency
ORDER BY effects DESC, currency
