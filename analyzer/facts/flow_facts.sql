/*
title = "The flows that predicates are about, one row each: what is its own, and the kind of the rest"
params = ["since_ns", "until_ns", "after"]
*/
-- In no order: whoever asks sorts, after the store was let go.
SELECT
    flow_id,
    start_ns,
    end_ns,
    outcome = 'in_progress' AS running,
    sampling_weight,
    facts
FROM flow_heads
WHERE
    ($since_ns::BIGINT IS NULL OR coalesce(end_ns, start_ns) >= $since_ns::BIGINT)
    AND ($until_ns::BIGINT IS NULL OR coalesce(end_ns, start_ns) < $until_ns::BIGINT)
    AND ($after::BIGINT IS NULL OR derivation > $after::BIGINT)
