"""A changed configuration takes effect when the same file is loaded again."""

import json
from pathlib import Path

from tests.retrospan.conftest import Command
from tests.retrospan.test_contract import RECORD

ALIASES = "[aliases]\nretrospan.flow.id = 'acme.order'\n"
SECRETS = "[redaction]\nnames = ['acme.note']\n"


def put_in_place(path: Path) -> None:
    written = json.dumps(RECORD)
    attributes = [
        {"key": key, "value": {"stringValue": value}}
        for key, value in (("acme.order", "order-7"), ("acme.note", "hush hush"))
    ]
    document = json.loads(written)
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = attributes
    path.write_text(json.dumps(document))


def test_flows_are_derived_anew_from_what_other_rules_give(
    command: Command, tmp_path: Path
) -> None:
    put_in_place(tmp_path / "in.json")

    def flow_id() -> tuple[object, object]:
        said = command("ingest", "in.json", "--json")
        assert said.code == 0, said.err
        (flow,) = command("flows", "list", "--json").document["flows"]
        return said.document["superseded"], flow["flow_id"]

    first = flow_id()
    (tmp_path / "retrospan.toml").write_text(ALIASES)
    assert flow_id() == (1, "order-7")
    assert flow_id() == (0, "order-7")
    (tmp_path / "retrospan.toml").unlink()
    assert flow_id() == (1, first[1])


def test_a_check_shows_nothing_secret_and_loads_nothing(command: Command, tmp_path: Path) -> None:
    put_in_place(tmp_path / "in.json")
    (tmp_path / "retrospan.toml").write_text(SECRETS)
    said = command("redact", "--check", "in.json")
    assert said.code == 0
    assert "span.attributes[acme.note]" in said.out
    assert "hush" not in said.out + said.err
    assert not (tmp_path / "retrospan.duckdb").exists()


def test_a_check_of_a_file_of_no_format_is_bad_data(command: Command, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\x89PNG")
    assert command("redact", "--check", "x.bin").code == 4
    assert command("redact", "--check", "nowhere.json").code == 4
