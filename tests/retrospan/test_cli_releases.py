"""`retrospan releases` on recorded rollouts."""

import tomllib
from pathlib import Path

import pytest

from tests.retrospan.conftest import Command
from tests.retrospan.records import span, write

SAMPLES = Path(__file__).resolve().parents[2] / "sample_traces"


def test_the_payment_release_fails_and_its_successor_passes(command: Command) -> None:
    assert command("ingest", SAMPLES / "payment-brownout").code == 0
    said = command("releases", "report", "--kind", "flow", "--json")
    assert said.code == 3
    told = {
        (one["candidate"]["version"], one["design"]): one["release_verdict"]
        for one in said.document["comparisons"]
    }
    assert told == {
        ("2.4.0", "concurrent"): "insufficient",
        ("2.4.0", "sequential"): "fail",
        ("2.4.1", "sequential"): "pass",
    }
    assert said.document["rollbacks"] == []
    assert command("releases", "report", "--kind", "flow", "--json").out == said.out
    table = command("releases", "report", "--kind", "flow")
    assert "2.3.0 → 2.4.0" in table.out
    assert "unsound 0.0% of 151 → " in table.out


def test_the_model_taken_back_is_found_and_what_it_left_open(command: Command) -> None:
    """`expected.toml` knows the last rollback of the flag: to 0 percent, at applicant 300."""
    expected = tomllib.loads((SAMPLES / "onboarding-model-rollout" / "expected.toml").read_text())
    turned_back = expected["flags"][-1]["start_ns"]
    assert command("ingest", SAMPLES / "onboarding-model-rollout").code == 0
    said = command("releases", "report", "--rollbacks", "--json")
    rollbacks = {one["kind"]: one for one in said.document["rollbacks"]}
    assert set(rollbacks) == {"flag", "model"}
    flag, model = rollbacks["flag"], rollbacks["model"]
    assert (flag["from_version"], flag["to_version"], flag["sort"]) == ("v2", "off", "rollback")
    assert (model["from_version"], model["to_version"]) == ("2026-06", "2026-02")
    assert abs(flag["at_ns"] - turned_back) < 2_000_000_000
    assert flag["left_open"] > 0
    assert flag["successful"] == "no"
    table = command("releases", "report", "--rollbacks")
    assert "2026-06 → 2026-02" in table.out


def test_one_version_is_nothing_to_compare(command: Command, tmp_path: Path) -> None:
    only = span(1, kind="server", service="shop", resource={"service.version": "1"})
    write(tmp_path / "retrospan.duckdb", spans=[only])
    said = command("releases", "report")
    assert (said.code, said.out) == (0, "")
    assert "nothing has two versions" in said.err
    assert "one version only, nothing to compare: " in said.err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(["--kind", "x"], "there are service, flow"), (["--since", "soon"], "is not a time")],
)
def test_what_cannot_be_asked_is_one_clear_line(
    command: Command, db: Path, arguments: list[str], reason: str
) -> None:
    said = command("releases", "report", *arguments)
    assert (said.code, reason in said.err) == (2, True), said.err
    assert db.is_file()
