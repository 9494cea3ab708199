"""Where other people's data and programs lie: skipped with a reason where absent, never in CI."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def corpora_folder() -> Path:
    """The folder that RETROSPAN_CORPORA names."""
    named = os.environ.get("RETROSPAN_CORPORA")
    if not named:
        if os.environ.get("CI"):
            pytest.fail("CI must name the folder of the corpora by RETROSPAN_CORPORA")
        pytest.skip("RETROSPAN_CORPORA names no folder with third-party data")
    return Path(named)


def program(name: str, package: str) -> str:
    """The path of an installed program; `package` is Debian's that has it."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have {name} (Debian's package {package})")
        pytest.skip(f"{name} is not installed (Debian's package {package})")
    return found


def without(reason: str) -> NoReturn:
    """Skip, or in CI fail, because something other people make cannot be had here."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must have what this needs: {reason}")
    pytest.skip(reason)


def needs(module: str, *, installed: bool) -> None:
    """Skip where a module is absent; in CI that is a failure."""
    if not installed:
        assert not os.environ.get("CI"), f"CI must have {module}"
        pytest.skip(f"{module} is not installed", allow_module_level=True)
