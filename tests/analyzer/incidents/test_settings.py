"""What is reckoned anew for each call is no setting; one that changed is a change."""

from pathlib import Path

import pytest

from analyzer.incidents import settings
from analyzer.incidents.settings import VALUES_MAX, call_settings
from retrospan.cli import run
from store.lease import Store

SAMPLE = Path(__file__).resolve().parents[3] / "sample_traces" / "payment-brownout"
EVER = 1 << 62
KEY = "idempotency key of repeats of orchestrator calling gateway-eu POST /charges"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("settings") / "retrospan.duckdb"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CONFIG_HOME", str(path.parent))
        assert run(["-q", "--db", str(path), "ingest", str(SAMPLE)]) == 0
    return Store(path)


def test_the_release_that_takes_a_new_key_for_each_attempt_shows_as_a_change(store: Store) -> None:
    with store.lease("test") as session:
        found = call_settings(session, 0, EVER)
    changed = {(one.service, one.name) for one in found.changes}
    assert (KEY, "new at each attempt") in changed
    told = dict(found.by_flow["order-000203"])
    assert told[f"setting {KEY}"] == "new at each attempt"
    values = {
        value for told in found.by_flow.values() for name, value in told if name.endswith(KEY)
    }
    assert values == {"kept", "new at each attempt"}


def test_what_has_a_value_of_its_own_for_many_flows_is_no_setting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def many(*_: object) -> object:
        class Rows:
            def to_dicts(self) -> list[dict[str, object]]:
                return [
                    {"flow_id": f"{n}", "start_ns": n, "subject": "timeout", "value": f"{n} ms"}
                    for n in range(VALUES_MAX + 1)
                ]

        return Rows()

    monkeypatch.setattr(settings, "ask", many)
    with store.lease("test") as session:
        found = call_settings(session, 0, EVER)
    assert (found.by_flow, found.changes) == ({}, ())
