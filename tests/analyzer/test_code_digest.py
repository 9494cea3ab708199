"""What makes flows be derived again: what concludes of them, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from analyzer import code_digest
from analyzer.code_digest import CONCLUDING, HERE, PLUGINS, sources_of
from analyzer.detectors import flow_detectors, population_detectors
from analyzer.settings import RebuildSettings

LOADED = """
import sys
import analyzer.gather, analyzer.conclude
from analyzer.detectors import all_detectors
from analyzer.sagas.verify import checks
all_detectors(), checks()
print("\\n".join(it.__file__ for name, it in sys.modules.items() if name.startswith("analyzer")))
"""


def told(*modules: str) -> set[str]:
    return {path.relative_to(HERE).as_posix() for path in sources_of(modules)}


def aside() -> set[str]:
    return {f"{place}.{it.name}" for it in population_detectors() for place in PLUGINS}


def test_all_that_is_loaded_to_conclude_is_among_the_sources() -> None:
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = {Path(line).relative_to(HERE).as_posix() for line in run.stdout.split("\n") if line}
    assert loaded <= told(*CONCLUDING)


def test_questions_that_are_asked_while_deriving_are_among_the_sources() -> None:
    assert {"assign/related_traces.sql", "sagas/coverage.sql"} <= told(*CONCLUDING)


def test_reports_and_detectors_of_many_flows_are_not() -> None:
    kept = {path.relative_to(HERE).as_posix() for path in sources_of(CONCLUDING, aside())}
    assert {"sagas/s01.py", "derive/steps.py"} <= kept
    modules = {name.rpartition("/")[2] for name in kept}
    assert {f"{it.name}.py" for it in flow_detectors()} <= modules
    assert not kept & {"contrast/compare.py", "slo/evaluate.py", "population.py"}
    assert not kept & {f"resilience/{it.name}.py" for it in population_detectors()}


def test_a_change_of_a_source_changes_the_digest_where_it_decides_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "analyzer"
    for path in [*HERE.rglob("*.py"), *HERE.rglob("*.sql")]:
        place = copied / path.relative_to(HERE)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    monkeypatch.setattr(code_digest, "HERE", copied)

    def digest() -> str:
        code_digest.derivation_sources.cache_clear()
        return code_digest.derivation_digest(RebuildSettings())

    before = digest()
    (copied / "slo" / "budget.py").write_text("# other")
    assert digest() == before
    with (copied / "sagas" / "s01.py").open("a") as source:
        source.write("# other\n")
    assert digest() != before
    monkeypatch.undo()
    code_digest.derivation_sources.cache_clear()
