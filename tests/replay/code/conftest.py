"""A store with the recorded payments, made once."""

from pathlib import Path

import pytest

from tests.replay.code.commands import ROOT, run


@pytest.fixture(scope="session")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    sample = ROOT / "sample_traces" / "payment-brownout"
    done = run(folder, "retrospan", "--db", folder / "r.duckdb", "-q", "ingest", sample)
    assert done.returncode == 0, done.stderr
    return folder / "r.duckdb"
