-- What these detectors said of the population, and earlier versions of the findings to come.
DELETE FROM findings
WHERE (flow_id IS NULL AND list_contains($detectors::VARCHAR[], detector))
    OR finding_id IN (SELECT finding_id FROM outdated)
