"""A bundle carries the signed head of the decision log, and the files given for its incident."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.redact import Redactor
from retrospan.bundle import layout
from retrospan.bundle.inputs import write_inputs
from retrospan.bundle.levels import Sieve
from retrospan.bundle.proofs import check_proofs, write_proofs
from retrospan.config import signing_key
from retrospan.edge import Edge
from retrospan.incident_inputs import keep_inputs
from retrospan.redaction_level import Level
from retrospan.tree_head import public_key
from store import read
from store.errors import DataError
from store.incident_records import read_incident_inputs
from tests.retrospan import bundles
from tests.retrospan.conftest import Command

SAID = "pool of acquirer connections halved"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, home: None) -> None:
    monkeypatch.setenv("RETROSPAN_REDACTION_KEY", "k" * 32)
    monkeypatch.setenv("RETROSPAN_SIGNING_KEY", "s" * 32)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Edge, str]:
    """A store with an incident, and a change and a metric given for it."""
    folder = tmp_path_factory.mktemp("stored")
    edge, incident_id = bundles.stored(folder / "store.duckdb", bundles.batches(1))
    at = datetime.fromtimestamp(bundles.START // bundles.SECOND + 15, UTC).isoformat()
    changes, metrics = folder / "changes.json", folder / "cpu.csv"
    changes.write_text(
        json.dumps([{"at": at, "kind": "deploy", "service": "gateway", "name": "7", "text": SAID}])
    )
    metrics.write_text(f"timestamp,service,metric,value\n{at},gateway,cpu,12.5\n")
    with edge.lease("test") as session:
        incident = read.read_incident(session, incident_id)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RETROSPAN_REDACTION_KEY", "k" * 32)
        keep_inputs(edge, incident, [changes], [metrics])
    return edge, incident_id


@pytest.fixture(scope="module")
def bundle(stored: tuple[Edge, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("out") / "b.zip"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RETROSPAN_REDACTION_KEY", "k" * 32)
        patched.setenv("RETROSPAN_SIGNING_KEY", "s" * 32)
        written = bundles.bundled(*stored, output)
        assert written.proofs.signer == public_key(signing_key())
        assert written.proofs.proofs > 0
    return output


def opened(command: Command, bundle: Path, folder: Path, code: int) -> dict[str, object]:
    said = command("bundle", "open", bundle, "-o", folder, "--json")
    assert said.code == code, said.err
    return said.document


def test_every_proof_leads_to_the_signed_head(
    command: Command, stored: tuple[Edge, str], bundle: Path, tmp_path: Path
) -> None:
    document = opened(command, bundle, tmp_path / "there", 0)
    log = document["decision_log"]
    assert isinstance(log, dict)
    assert log["verified"] == log["proofs"] > 0
    assert log["head"]["public_key"] == public_key(signing_key())
    assert log["head"]["tree_size"] == bundles.FLOWS
    assert not log["faults"]
    assert not document["drifted"]
    # the incident's files came along, and with them what the report says of them
    with Edge(db=tmp_path / "there/retrospan.duckdb", config=None).lease("test") as session:
        names = [one.name for one in read_incident_inputs(session, stored[1])]
    assert names == ["changes.json", "cpu.csv"]
    assert "Of the metrics file `cpu.csv`" in (tmp_path / "there/report/post-mortem.md").read_text()
    assert SAID in (tmp_path / "there" / layout.INPUTS).read_text()


def test_what_changes_said_stays_behind_with_the_bodies(
    stored: tuple[Edge, str], tmp_path: Path
) -> None:
    sieve = Sieve(Level.BODIES, Redactor(b"k" * 32))
    with stored[0].lease("test") as session:
        assert write_inputs(session, stored[1], tmp_path, sieve)
    text = (tmp_path / layout.INPUTS).read_text()
    assert SAID not in text
    assert '"gateway"' in text


@pytest.fixture
def folder(bundle: Path, tmp_path: Path) -> Path:
    """The proofs of a bundle and their head, which may be changed."""
    with zipfile.ZipFile(bundle) as archive:
        for name in (layout.PROOFS, layout.HEAD):
            archive.extract(name, tmp_path)
    assert check_proofs(tmp_path).faults == []
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_head_that_was_changed_or_is_of_another_log_vouches_for_nothing(folder: Path) -> None:
    change(folder / layout.HEAD, f'"tree_size": {bundles.FLOWS}', '"tree_size": 99')
    found = check_proofs(folder)
    assert found.verified == 0
    assert "signature of the head" in found.faults[0]
    assert "of another log than the head" in found.faults[1]


def test_a_proof_whose_fields_were_changed_is_named(folder: Path) -> None:
    first = json.loads((folder / layout.PROOFS).read_text().splitlines()[0])
    commitment = first["hidden"]["chosen"]
    change(folder / layout.PROOFS, commitment, "0" * 64)
    found = check_proofs(folder)
    assert found.faults == [f"{first['decision_id']}: its fields do not make its leaf"]
    assert found.verified == found.proofs - 1


def test_a_proof_put_at_another_place_does_not_lead_to_the_root(folder: Path) -> None:
    first = json.loads((folder / layout.PROOFS).read_text().splitlines()[0])
    wrong = dict(first, leaf_index=(first["leaf_index"] + 1) % bundles.FLOWS)
    lines = [json.dumps(wrong), *(folder / layout.PROOFS).read_text().splitlines()[1:]]
    (folder / layout.PROOFS).write_text("\n".join(lines))
    (said,) = check_proofs(folder).faults
    assert "does not lead to the root" in said


@pytest.mark.parametrize("text", ["{}", "[1]", '{"hidden": {"a": "zz"}}', "no json", "[" * 9999])
def test_what_is_no_proof_is_refused_by_its_line(folder: Path, text: str) -> None:
    (folder / layout.PROOFS).write_text(text)
    with pytest.raises(DataError, match="line 1 is no proof"):
        check_proofs(folder)


def test_a_broken_log_is_carried_without_a_head_and_said_to_be_broken(tmp_path: Path) -> None:
    edge, _ = bundles.stored(tmp_path / "store.duckdb", bundles.batches(1))
    with edge.lease("test") as session:
        session.cursor.execute(
            "UPDATE decision_leaves SET leaf = unhex(repeat('00', 32)) WHERE leaf_index = 0"
        )
        decisions = read.read_decisions(session)
    carried = write_proofs(edge, decisions, tmp_path)
    assert "the decision log is broken" in carried.fault
    assert not carried.signer
    found = check_proofs(tmp_path)
    assert (found.head, found.verified, found.proofs) == (None, 0, bundles.FLOWS)
    assert len(found.faults) == 1, "the leaf that was overwritten"
