-- With what each service was instrumented in a time: its SDK and the scopes of its spans.
SELECT
    service,
    resource ->> '/telemetry.sdk.name' AS sdk,
    resource ->> '/telemetry.sdk.language' AS language,
    resource ->> '/telemetry.sdk.version' AS sdk_version,
    scope_name AS scope,
    scope_version AS version,
    count(*) AS spans
FROM spans
WHERE start_ns >= $low_ns::BIGINT AND start_ns < $high_ns::BIGINT
GROUP BY ALL
ORDER BY ALL
