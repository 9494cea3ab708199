"""The marker of tests that need more than Python."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "node: installs packages by npm, runs them by Node.js")
