SELECT caller, callee, calls, offset_ns, low_ns, high_ns
FROM clock_skew
ORDER BY caller, callee
