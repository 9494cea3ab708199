"""Every command has a row in the contract, and every document fits its schema."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.main import get_command

from retrospan.cli import application
from tests.analyzer.slo.documents import SLO
from tests.retrospan import world
from tests.retrospan.conftest import Command

CONTRACT = Path(__file__).resolve().parents[2] / "docs" / "contract"
ROW = re.compile(r"^\| `([a-z ]+)` \| (.*) \| (?:\[(\w+)\]\((\w+)\.schema\.json\)|none) \|$")
RECORD = {
    "resourceSpans": [
        {
            "resource": {"attributes": []},
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": world.trace_id(7),
                            "spanId": world.span_id(7, 7),
                            "name": "pay",
                            "startTimeUnixNano": str(world.START),
                            "endTimeUnixNano": str(world.START + 5),
                        }
                    ]
                }
            ],
        }
    ]
}


def asked() -> dict[str, Any]:
    """A flow called `asked` that makes one HTTP request."""

    def span(number: int, kind: int, attributes: dict[str, str]) -> dict[str, Any]:
        return {
            "traceId": world.trace_id(8),
            "spanId": world.span_id(8, number),
            "parentSpanId": "" if number == 1 else world.span_id(8, 1),
            "name": "ask",
            "kind": kind,
            "startTimeUnixNano": str(world.START + number),
            "endTimeUnixNano": str(world.START + 20 - number),
            "attributes": [
                {"key": key, "value": {"stringValue": value}} for key, value in attributes.items()
            ],
        }

    call = {
        "http.request.method": "GET",
        "http.response.status_code": "200",
        "server.address": "shop",
        "url.full": "http://shop/a",
    }
    spans = [span(1, 2, {"retrospan.flow.id": "asked"}), span(2, 3, call)]
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


def bundled(command: Command, folder: Path, line: str) -> str:
    """The line for an incident of flows that come out of recorded spans."""
    (folder / "retrospan.duckdb").unlink()
    (folder / "asked.json").write_text(json.dumps(asked()))
    assert command("ingest", "asked.json").code == 0
    declared = command("incidents", "declare", "--from", "1s", "--to", "0s", "--json")
    incident_id = declared.document["incidents"][0]["incident_id"]
    if line.startswith("bundle open"):
        assert command("bundle", "write", incident_id, "-o", "b.zip").code == 0
    return line.replace("inc-1", incident_id)


def rows() -> dict[str, str | None]:
    """Schema names by command."""
    found = {}
    for line in (CONTRACT / "README.md").read_text().splitlines():
        match = ROW.match(line)
        if match:
            assert match[3] == match[4]
            found[match[1]] = match[3]
    return found


def commands() -> set[str]:
    """All commands, as typed."""
    names = set()
    root: Any = get_command(application())
    for noun, group in root.commands.items():
        verbs = getattr(group, "commands", None)
        names |= {f"{noun} {verb}" for verb in verbs} if verbs is not None else {noun}
    return names


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CONTRACT / f"{name}.schema.json").read_text())
    return loaded


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    assert set(rows()) == commands()


def test_every_schema_is_valid_closed_and_named_by_a_row() -> None:
    files = {path.name.removesuffix(".schema.json") for path in CONTRACT.glob("*.schema.json")}
    assert files == {name for name in rows().values() if name is not None}
    for name in files:
        loaded = schema(name)
        Draft202012Validator.check_schema(loaded)
        assert loaded["additionalProperties"] is False
        assert loaded["properties"]["schema"]["const"] == loaded["title"]


def test_every_command_and_option_has_help() -> None:
    root: Any = get_command(application())
    for noun, group in root.commands.items():
        for verb, one in (getattr(group, "commands", None) or {"": group}).items():
            assert one.help, f"{noun} {verb}"
            for parameter in one.params:
                if parameter.name != "help":
                    assert parameter.help, f"{noun} {verb} {parameter.name}"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("flows contrast", 0),
        ("flows list", 0),
        ("flows show flow-020", 0),
        ("flows diff flow-001 flow-020", 0),
        ("flows variants", 0),
        ("sagas list", 3),
        ("sagas summary", 3),
        ("findings coverage", 0),
        ("findings list", 3),
        ("decisions list", 0),
        ("decisions list --kind all", 0),
        ("decisions head", 0),
        ("decisions prove decision-020", 0),
        ("decisions show decision-020", 0),
        ("decisions verify", 0),
        ("governance backtest --policy policy.yaml", 0),
        ("governance decisive flow-001", 0),
        ("governance report", 0),
        ("governance test --policy policy.yaml --cases cases.jsonl", 3),
        ("incidents find", 0),
        ("incidents list", 0),
        ("incidents show inc-1", 0),
        ("incidents declare --from 5m --to 1m", 0),
        ("replay run flow-001", 0),
        ("replay batch --workers 1 --where flow_id=flow-001", 0),
        ('replay flip flow-001 --operation "payment charge" --change attempts', 0),
        ("replay population --scenario wait.yaml", 0),
        ("replay programs", 0),
        ("recordings list", 0),
        ("recordings show flow-001", 0),
        ("recordings export --all -o r.jsonl", 0),
        ("recordings replay r.jsonl flow-001", 0),
        ("bundle write inc-1 -o b.zip", 0),
        ("bundle open b.zip -o opened", 0),
        ("report verify a.md", 0),
        ("report lint a.md", 0),
        ("ingest spans.json", 0),
        ("ingest spans.json bad.json", 4),
        ("redact --check spans.json", 0),
        ("store upgrade", 0),
        ("purge --before 1h --dry-run", 0),
        ("export otlp -o out.jsonl", 0),
        ("export parquet -o out", 0),
        ("export pytest asked -o tests --code mine:run --expect true", 0),
        ("export har asked -o f.har", 0),
        ("export vcr asked -o f.yaml", 0),
        ("export wiremock asked -o f.json", 0),
        ("doctor", 0),
        ("conformance report", 0),
        ("contracts report --api payment=api.yaml", 0),
        ("releases report", 0),
        ("contracts compare api.yaml api.yaml", 0),
        ("quality report", 0),
        ("scorecard", 0),
        ("scorecard --by service", 0),
        ("slo report slo.yaml", 3),
        ("slo backtest slo.yaml", 0),
        ("slo facts", 0),
        ("slo latency --within 1s", 0),
    ],
)
@pytest.mark.usefixtures("db")
def test_every_document_fits_its_schema(
    command: Command, tmp_path: Path, line: str, code: int
) -> None:
    (tmp_path / "spans.json").write_text(json.dumps(RECORD))
    (tmp_path / "slo.yaml").write_text(SLO)
    (tmp_path / "wait.yaml").write_text(
        "schema: retrospan.scenario/1\nname: wait\n"
        "changes: [{operation: payment charge, timeout_ms: 9}]"
    )
    (tmp_path / "bad.json").write_text('{"resourceSpans": 3}')
    (tmp_path / "api.yaml").write_text("openapi: 3.1.0\npaths:\n  /pay:\n    post: {}\n")
    (tmp_path / "policy.yaml").write_text(
        "schema: retrospan.policy/1\nid: p\nversion: v2\n"
        "rules: [{when: confidence >= 0.9, outcome: deny}]\ndefault: escalate\n"
    )
    if line.startswith("governance test"):
        assert command("governance", "cases", "-o", "cases.jsonl").code == 0
    if line.startswith("report"):
        assert command("report", "write", "inc-1", "-o", "a.md").code == 0
    if line.startswith("recordings replay"):
        assert command("recordings", "export", "--all", "-o", "r.jsonl").code == 0
    if " asked " in line:
        (tmp_path / "asked.json").write_text(json.dumps(asked()))
        assert command("ingest", "asked.json").code == 0
    if line.startswith("bundle"):
        line = bundled(command, tmp_path, line)
    said = command(*shlex.split(line), "--json")
    assert said.code == code, said.err
    name = next(name for typed, name in rows().items() if line.startswith(typed))
    assert name is not None
    Draft202012Validator(schema(name)).validate(said.document)
    assert said.out.isascii()


def test_every_command_with_a_document_is_tried_above() -> None:
    """Keeps the list of the test above complete."""
    (mark,) = (
        mark
        for mark in test_every_document_fits_its_schema.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    )
    tried = {line for line, _ in mark.args[1]}
    for typed, name in rows().items():
        assert name is None or any(line.startswith(typed) for line in tried), typed
