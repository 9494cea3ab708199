-- checks and residual_effects are shown as rows by the views saga_checks and residual_effects.
CREATE TABLE sagas (
    flow_id VARCHAR,
    saga_id VARCHAR,
    name VARCHAR,
    verdict VARCHAR,
    checks JSON,
    residuals JSON
)
