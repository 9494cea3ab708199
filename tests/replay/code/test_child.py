"""The child is what its users' interpreters can run: Python 3.9, the standard library, one name."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from replay.code.process import CHILD, PROTOCOL

SOURCES = sorted((CHILD / "retrospan_child").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda it: str(it.relative_to(CHILD)))
def test_a_module_is_python_3_9_and_imports_the_standard_library_only(path: Path) -> None:
    """That every function called exists in 3.9 is shown by `test_pythons.py`, where one is."""
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    found = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [it.name for it in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else []
        )
    }
    assert found <= set(sys.stdlib_module_names)


def test_both_ends_speak_the_same_protocol() -> None:
    said = (CHILD / "retrospan_child" / "__init__.py").read_text()
    assert f"\nPROTOCOL = {PROTOCOL}\n" in said


def test_the_wheel_of_the_child_holds_one_name_and_needs_nothing(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=CHILD, check=True, capture_output=True,
    )  # fmt: skip
    wheel = next(tmp_path.glob("retrospan_child-*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"retrospan_child"}
    assert {str(it.relative_to(CHILD)) for it in SOURCES} <= set(names)
    project = tomllib.loads((CHILD / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == []
    assert project["requires-python"] == ">=3.9"


def test_another_protocol_is_refused() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "retrospan_child"], cwd=CHILD, capture_output=True, text=True,
        input='{"protocol": 0, "code": "x:y"}\n', timeout=60,
    )  # fmt: skip
    assert '"kind":"failed"' in run.stdout
