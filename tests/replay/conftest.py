"""Flows of the generated kinds, made once."""

import pytest

from store.conclusions import Flow
from tests.replay.kinds import true_flows


@pytest.fixture(scope="session")
def payments() -> list[Flow]:
    """150 payments: enough for what-ifs."""
    return true_flows("payment", 150)


@pytest.fixture(scope="session")
def claims() -> list[Flow]:
    """150 insurance claims."""
    return true_flows("claims", 150)
