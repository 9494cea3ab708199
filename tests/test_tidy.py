"""The style, as far as a test can hold it: sizes, places, names that must not be written."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("store", "ingest", "analyzer", "replay", "dashboards", "retrospan")
LINES_MAX = 500
FUNCTION_LINES_MAX = 70
# Put together here, so that this file does not name what it forbids.
FORBIDDEN = re.compile(
    "|".join(
        [
            "pypi" + r"[.]org",
            "python" + "hosted",
            "registry[.]npm" + "js",
            "deb[.]" + "debian",
            r"(?<![\w.])/work" + "/",
            r"(?<![\w.])/root" + "/",
        ]
    )
)


def tracked() -> list[Path]:
    """Files git knows or would take, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """All files of the project."""
    return tracked()


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_source_file_is_longer_than_the_limit(files: list[Path]) -> None:
    long = {
        named(path): count
        for path in files
        if path.suffix in {".py", ".js", ".sql", ".css"}
        and (count := len(path.read_text().splitlines())) > LINES_MAX
    }
    assert long == {}


def test_no_function_is_longer_than_the_limit(files: list[Path]) -> None:
    long = []
    for path in files:
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{named(path)}:{node.lineno} {node.name} has {lines} lines")
    assert long == []


def test_no_registry_host_nor_path_of_a_machine_is_written(files: list[Path]) -> None:
    found = []
    for path in files:
        data = path.read_bytes()
        if b"\0" in data or path.suffix == ".gz":
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if FORBIDDEN.search(line):
                found.append(f"{named(path)}:{number}")
    assert found == []


def test_tests_are_not_a_package(files: list[Path]) -> None:
    assert [named(path) for path in files if path.match("tests/**/__init__.py")] == []


def test_no_file_directly_in_dashboards_shadows_a_package() -> None:
    """Streamlit puts the folder of the entry script first on the path."""
    names = {path.stem for path in (ROOT / "dashboards").iterdir()}
    assert names & ({*PACKAGES} | set(sys.stdlib_module_names) - {"__future__"}) == set()


def test_every_module_says_in_one_sentence_what_it_is_for(files: list[Path]) -> None:
    without = []
    for path in files:
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES:
            first = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0]
            if not first.strip().endswith((".", ":", "?")):
                without.append(named(path))
    assert without == []


def test_no_folder_hides_behind_a_vague_name(files: list[Path]) -> None:
    vague = {"utils", "helpers", "common", "manager", "misc"}
    assert [named(path) for path in files if path.stem in vague] == []


def test_every_test_can_fail(files: list[Path]) -> None:
    """A test without an assertion, a raises block or a helper that asserts proves nothing.

    A fuzz test may assert nothing: it fails when what it feeds raises.
    """
    empty = []
    for path in files:
        if path.suffix != ".py" or path.relative_to(ROOT).parts[0] != "tests":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            source = ast.unparse(node)
            if not re.search(r"@given|\bassert|raises\(|fail\(|expect\(|check\w*\(", source):
                empty.append(f"{named(path)}:{node.lineno} {node.name}")
    assert empty == []
