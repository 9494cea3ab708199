"""`retrospan contracts` on recorded payments and on files that cannot be read."""

import tomllib
from pathlib import Path

import pytest

from retrospan.timespan import rfc3339
from tests.retrospan.conftest import Command
from tests.retrospan.records import span, write

SAMPLES = Path(__file__).resolve().parents[2] / "sample_traces"
API = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses:\n        '200': {}\n"


def exchange(number: int, **attributes: object) -> object:
    return span(
        number,
        number,
        kind="server",
        service="shop",
        attributes={
            "http.request.method": "GET",
            "http.route": "/a",
            "http.response.status_code": 200,
            **attributes,
        },
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "api.yaml").write_text(API)
    spans = [exchange(1), exchange(2), exchange(3, **{"http.response.status_code": 500})]
    write(tmp_path / "retrospan.duckdb", spans=spans)
    return tmp_path


def test_the_refunds_of_2_4_0_break_the_contract_of_the_gateway(command: Command) -> None:
    """The release registers a refund before it knows the charge: `charge_id` is null."""
    assert command("ingest", SAMPLES / "payment-brownout").code == 0
    config = SAMPLES / "contracts" / "retrospan.toml"
    said = command("--config", config, "contracts", "report", "--json")
    assert said.code == 3
    broken = [one for one in said.document["results"] if one["verdict"] == "violation"]
    assert {(one["service"], one["operation"], one["message"]) for one in broken} == {
        ("gateway-eu", "POST /refunds", "request: charge_id is null, not string"),
        ("gateway-us", "POST /refunds", "request: charge_id is null, not string"),
    }
    callers = {caller["version"] for one in broken for caller in one["callers"]}
    assert callers == {"2.4.0"}
    unused = {one["operation"] for one in said.document["results"] if one["n"] == 0}
    assert "POST /charges/void" in unused
    again = command("--config", config, "contracts", "report", "--json")
    assert again.out == said.out


def test_a_healthy_recording_keeps_its_contracts(command: Command) -> None:
    assert command("ingest", SAMPLES / "payment-healthy").code == 0
    config = SAMPLES / "contracts" / "retrospan.toml"
    said = command("--config", config, "contracts", "report", "--json")
    assert said.code == 0, said.out
    assert {one["rule"] for one in said.document["results"]} == {"unused_operation"}
    halves = ("--window-a", "80s/40s", "--window-b", "40s/1s")
    drift = command("--config", config, "contracts", "report", *halves, "--json")
    changed = [one for one in drift.document["results"] if one["rule"].startswith("field")]
    assert [one for one in changed if one["verdict"] != "pass"] == []


def test_the_new_shape_of_the_register_is_told_field_by_field(command: Command) -> None:
    """Windows are the phases of `expected.toml`: before and after the register changed."""
    assert command("ingest", SAMPLES / "enrichment-drift").code == 0
    expected = tomllib.loads((SAMPLES / "enrichment-drift" / "expected.toml").read_text())
    start, change, mended = (
        rfc3339(expected["phases"][number]["start_ns"]) for number in (0, 2, 3)
    )
    said = command(
        "contracts", "report", "--window-a", f"{start}/{change}", "--window-b",
        f"{change}/{mended}", "--json",
    )  # fmt: skip
    assert said.code == 0
    answers = {
        (one["rule"], one["facts"]["field"])
        for one in said.document["results"]
        if one["operation"] == "POST /lookups (client)" and one["facts"]["part"] == "response 200"
    }
    assert answers == {
        ("field_vanished", "industry_code"),
        ("field_appeared", "activity"),
        ("field_type_changed", "employees"),
        ("field_type_changed", "description"),
    }


def test_a_clean_and_a_broken_service_differ_in_the_exit_code(command: Command, shop: Path) -> None:
    said = command("contracts", "report", "--api", "shop=api.yaml")
    assert said.code == 3
    assert "answers 500, which is not documented" in said.out
    assert "1 of 3 exchanges" in said.out
    other = command("contracts", "report", "--api", "shop=api.yaml", "--rule", "unused_operation")
    assert other.code == 0
    assert "shop: 3 exchanges (3 seen by itself), 1 of 1 documented operations seen" in said.err
    assert shop.is_dir()


def test_a_service_without_data_is_unknown_and_said_so(command: Command, shop: Path) -> None:
    said = command("contracts", "report", "--api", "other=api.yaml", "--json")
    assert (said.code, shop.is_dir()) == (0, True)
    (result,) = said.document["results"]
    assert (result["rule"], result["verdict"]) == ("unused_operation", "unknown")
    assert "other: no exchange recorded, nothing can be said" not in said.out
    assert "shop: 3 exchanges, no OpenAPI file, not checked" in said.err


def test_files_of_the_configuration_lie_beside_it(command: Command, shop: Path) -> None:
    (shop / "below").mkdir()
    (shop / "below" / "shop.yaml").write_text(API)
    config = shop / "below" / "mine.toml"
    config.write_text('[contracts.services]\nshop = ["shop.yaml"]\n')
    said = command("--config", config, "contracts", "report")
    assert said.code == 3, said.err


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ([], 2, "no OpenAPI file is named"),
        (["--api", "shop"], 2, "write SERVICE=FILE"),
        (["--api", "shop=none.yaml"], 4, "none.yaml: No such file"),
        (["--api", "shop=bad.yaml"], 4, "bad.yaml: #/openapi: only OpenAPI 3.0 and 3.1"),
        (["--window-a", "2h/1h"], 2, "give --window-a and --window-b"),
        (["--window-a", "1h/2h", "--window-b", "1h/0s"], 2, "ends before it begins"),
        (["--window-a", "1h", "--window-b", "1h/0s"], 2, "write FROM/TO"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_line(
    command: Command, shop: Path, arguments: list[str], code: int, reason: str
) -> None:
    (shop / "bad.yaml").write_text("swagger: '2.0'\n")
    said = command("contracts", "report", *arguments)
    assert (said.code, reason in said.err) == (code, True), said.err


def test_a_configuration_of_contracts_is_checked(command: Command, shop: Path) -> None:
    (shop / "retrospan.toml").write_text("[contracts]\nservices = 3\n")
    said = command("contracts", "report")
    assert (said.code, "services must be a table" in said.err) == (2, True), said.err


def test_versions_of_a_file_are_compared(command: Command, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(API)
    (tmp_path / "new.yaml").write_text(API + "  /b:\n    get: {}\n")
    fine = command("contracts", "compare", "old.yaml", "new.yaml", "--json")
    assert (fine.code, fine.document["verdict"]) == (0, "compatible")
    breaking = command("contracts", "compare", "new.yaml", "old.yaml")
    assert breaking.code == 3
    assert "operation removed" in breaking.out
    assert "breaking: 1 changes" in breaking.err
