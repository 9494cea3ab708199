"""A store with the recorded payments around one of them, made once."""

from pathlib import Path

import pytest

from retrospan.cli import run
from tests.sample_traces.recorded import part


@pytest.fixture(scope="session")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    sample = part("payment-brownout", range(190, 230), folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        assert run(["--db", str(folder / "r.duckdb"), "-q", "ingest", str(sample)]) == 0
    return folder / "r.duckdb"
