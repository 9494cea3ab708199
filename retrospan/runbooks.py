"""Which page says what a finding means and what to do."""

SAGA_CHECKS = "docs/runbooks/saga-checks.md"


def runbook(detector: str) -> str:
    """The page of a detector, from the root of the project."""
    return f"docs/runbooks/{detector}.md"
