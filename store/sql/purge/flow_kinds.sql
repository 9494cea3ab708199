-- Kinds that no flow is of any more: what they say was said of flows that are gone.
DELETE FROM flow_kinds
WHERE
    kind NOT IN (SELECT facts FROM flow_heads WHERE facts IS NOT NULL)
    AND kind NOT IN (SELECT undoing FROM flow_heads WHERE undoing IS NOT NULL)
