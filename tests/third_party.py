"""Where other people's data lies: skipped with a reason where it is absent, never in CI."""

import os
from pathlib import Path

import pytest


def corpora_folder() -> Path:
    """The folder that RETROSPAN_CORPORA names."""
    named = os.environ.get("RETROSPAN_CORPORA")
    if not named:
        if os.environ.get("CI"):
            pytest.fail("CI must name the folder of the corpora by RETROSPAN_CORPORA")
        pytest.skip("RETROSPAN_CORPORA names no folder with third-party data")
    return Path(named)
