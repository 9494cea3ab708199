"""A file of recordings replays elsewhere to the same digests, or is refused by line and reason."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from replay.bundle import Bundle, bundle_of, lines_of, load_bundle, replay_bundle
from replay.engine import Folds
from replay.provenance import provenance_of
from replay.recording import recording_of
from replay.scenario import Change, Scenario
from replay.settings import ReplaySettings
from store.conclusions import Flow
from store.errors import DataError, NotFoundError

SETTINGS = ReplaySettings()


@pytest.fixture(scope="module")
def bundle(payments: list[Flow], claims: list[Flow]) -> Bundle:
    """Six payments and three claims, with their programs."""
    recordings = [recording_of(flow) for flow in (*payments, *claims)]
    kinds: dict[tuple[str, str], Folds] = {}
    for recording in recordings:
        kind = recording.name, recording.version
        if kind not in kinds:
            mine = [r for r in recordings if (r.name, r.version) == kind]
            kinds[kind] = Folds(mine, SETTINGS)
    return bundle_of([*recordings[:6], *recordings[-3:]], kinds, SETTINGS)


@pytest.fixture
def file(bundle: Bundle, tmp_path: Path) -> Path:
    path = tmp_path / "recordings.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines_of(bundle)))
    return path


def test_every_recording_replays_from_the_file_as_it_did_among_its_kind(file: Path) -> None:
    replays = replay_bundle(load_bundle(file), (), settings=SETTINGS)
    assert len(replays) == 9
    for item, result in replays:
        assert (result.digest, result.verdict) == (item.digest, item.verdict)
        assert result.leave_one_out
    assert sum(result.verdict == "identical" for _, result in replays) >= 8


def test_writing_what_was_read_gives_the_same_bytes(file: Path) -> None:
    again = "".join(f"{line}\n" for line in lines_of(load_bundle(file)))
    assert again == file.read_text()


def test_a_what_if_needs_no_other_flow(file: Path) -> None:
    scenario = Scenario(
        name="short", changes=(Change(operation="gateway-eu POST /charges", timeout_ms=1),)
    )
    replays = replay_bundle(load_bundle(file), (), scenario=scenario, settings=SETTINGS)
    assert {item.recording.name for item, _ in replays} == {"payment", "claims"}
    payments = [(i, r) for i, r in replays if i.recording.name == "payment"]
    assert all(result.control_digest == item.digest for item, result in payments)
    assert any(result.claim is not None for _, result in payments)


def test_the_flow_is_not_among_those_its_program_was_made_of(bundle: Bundle) -> None:
    for item in bundle.recordings:
        program = bundle.programs[item.program]
        assert program.program.flows + program.program.set_aside < program.recordings


def test_a_flow_that_is_not_in_the_file_is_named_with_those_that_are(file: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        replay_bundle(load_bundle(file), ["nowhere"], settings=SETTINGS)


def test_the_file_says_where_the_values_of_requests_come_from(bundle: Bundle) -> None:
    program = next(p.program for p in bundle.programs.values() if p.program.name == "payment")
    origins = {(o.operation, o.path): o for o in provenance_of(program)}
    charge = origins["shipping POST /shipments", "request.charge"]
    assert "charge_id" in charge.source
    assert charge.flows > 50
    assert origins["gateway-eu POST /charges", "request.nonce"].source == ""


def resummed(lines: list[str]) -> str:
    """A file with these lines before the last, and a right sum."""
    text = "".join(f"{line}\n" for line in lines)
    return text + json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest()}) + "\n"


def changed(path: Path, number: int, change: Callable[[dict[str, Any]], object]) -> None:
    lines = path.read_text().splitlines()[:-1]
    document = json.loads(lines[number])
    change(document)
    lines[number] = json.dumps(document)
    path.write_text(resummed(lines))


@pytest.mark.parametrize(
    ("number", "change", "why"),
    [
        (0, lambda d: d.update(format="retrospan.recordings/2"), "recordings/2"),
        (0, lambda d: d.update(recordings=8), "other counts"),
        (1, lambda d: d["document"]["program"].update(flows=999), "has the digest"),
        (1, lambda d: d["document"].update(format="retrospan.program/9"), "line 2"),
        (-1, lambda d: d.update(colour="red"), "line"),
        (-1, lambda d: d["recording"].update(duration_ns=-1), "line"),
        (-1, lambda d: d["recording"]["steps"][0].update(op=3), "line"),
        (-1, lambda d: d.update(program="0" * 64), "not here"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line_and_reason(
    file: Path, number: int, change: Callable[[dict[str, Any]], object], why: str
) -> None:
    changed(file, number, change)
    with pytest.raises(DataError, match=why):
        load_bundle(file)


def test_a_changed_byte_a_cut_or_a_longer_file_is_noticed(file: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    for text, why in (
        ("".join(lines).replace('"reason":""', '"reason":"x"', 1), "sum"),
        ("".join(lines[:-1]), "cut"),
        ("".join([*lines, lines[1]]), "nothing may follow"),
        ("", "cut"),
        ("[]\n", "one object"),
        ("[" * 100_000 + "\n", "not JSON"),
    ):
        file.write_text(text)
        with pytest.raises(DataError, match=why):
            load_bundle(file)


def test_a_program_of_the_wrong_shape_is_an_error_and_no_crash(file: Path) -> None:
    def bend(document: dict[str, Any]) -> None:
        from replay.digest import canonical_json, sha256_text

        program = document["document"]["program"]
        program["operations"]["map"] = {name: None for name in program["operations"]["map"]}
        document["program"] = sha256_text(canonical_json(program))
        self_digest.append(document["program"])

    self_digest: list[str] = []
    lines = file.read_text().splitlines()[:-1]
    count = sum("kind_recordings" in json.loads(line) for line in lines)
    for number in range(1, count + 1):
        old = json.loads(lines[number])["program"]
        document = json.loads(lines[number])
        bend(document)
        lines[number] = json.dumps(document)
        lines = [
            line.replace(f'"program":"{old}"', f'"program":"{self_digest[-1]}"') for line in lines
        ]
    file.write_text(resummed(lines))
    with pytest.raises(DataError, match="does not run"):
        replay_bundle(load_bundle(file), (), settings=SETTINGS)
