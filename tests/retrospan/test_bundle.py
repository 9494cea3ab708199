"""A bundle carries an incident whole, gives nothing away, and does the same again elsewhere."""

import hashlib
import json
import random
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from retrospan.bundle import layout
from retrospan.bundle.container import pack
from retrospan.bundle.opening import open_bundle
from retrospan.edge import Edge
from retrospan.redaction_level import Level
from store.errors import DataError
from tests.ingest.planting import Planter
from tests.retrospan import bundles
from tests.retrospan.conftest import Command


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Edge, str]:
    return bundles.stored(tmp_path_factory.mktemp("b") / "retrospan.duckdb", bundles.batches(1))


@pytest.fixture(scope="module")
def bundle(world: tuple[Edge, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("out") / "b.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETROSPAN_REDACTION_KEY", "k" * 32)
        patch.setenv("RETROSPAN_SIGNING_KEY", "s" * 32)
        bundles.bundled(*world, output, objectives=[bundles.SLO])
    return output


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, home: None) -> None:
    monkeypatch.setenv("RETROSPAN_REDACTION_KEY", "k" * 32)
    monkeypatch.setenv("RETROSPAN_SIGNING_KEY", "s" * 32)


def opened_by(command: Command, bundle: Path, folder: Path) -> dict[str, object]:
    said = command("bundle", "open", bundle, "-o", folder, "--json")
    assert said.code == 0, said.err
    return said.document


def repacked(bundle: Path, folder: Path, changes: dict[str, bytes | None], honest: bool) -> Path:
    """The bundle with some entries changed or gone; `honest` mends the manifest's digests."""
    inside = folder / "inside"
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(inside)
        names = archive.namelist()
    for name, content in changes.items():
        path = inside / name
        path.parent.mkdir(exist_ok=True)
        if content is None:
            path.unlink()
            names.remove(name)
        else:
            path.write_bytes(content)
            names += [] if name in names else [name]
    if honest:
        manifest = json.loads((inside / layout.MANIFEST).read_text())
        manifest["entries"] = {
            name: hashlib.sha256((inside / name).read_bytes()).hexdigest()
            for name in names
            if name != layout.MANIFEST
        }
        (inside / layout.MANIFEST).write_text(json.dumps(manifest))
    output = folder / "again.zip"
    pack(output, {name: inside / name for name in names})
    return output


def test_a_bundle_opens_elsewhere_to_the_same_store_replays_and_report(
    command: Command, bundle: Path, tmp_path: Path
) -> None:
    document = opened_by(command, bundle, tmp_path / "there")
    assert (document["spans"], document["logs"], document["decisions"]) == (36, 12, 12)
    assert document["flows"] == bundles.FLOWS
    assert document["replays_differing"] == document["drifted"] == []
    assert document["statements"] == document["recomputed"]
    assert isinstance(document["recomputed"], int) and document["recomputed"] > 40
    said = command("bundle", "open", bundle, "-o", tmp_path / "told")
    assert "recomputed to the same words" in said.out and "to the digest" in said.out
    where = (
        "--db",
        tmp_path / "there/retrospan.duckdb",
        "--config",
        tmp_path / "there/retrospan.toml",
    )
    verified = command("report", "verify", tmp_path / "there/report/post-mortem.html", *where)
    assert verified.code == 0, verified.out


def test_a_store_loaded_in_another_order_and_time_zone_gives_the_same_bytes(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    other = bundles.stored(tmp_path / "other.duckdb", bundles.batches(9))
    bundles.bundled(*other, tmp_path / "c.zip", objectives=[bundles.SLO])
    with zipfile.ZipFile(bundle) as one, zipfile.ZipFile(tmp_path / "c.zip") as two:
        differing = [name for name in one.namelist() if one.read(name) != two.read(name)]
        assert differing in ([], [layout.MANIFEST, layout.PROOFS, layout.HEAD]), differing
        # The log's tree has the order of arrival, so only its proofs and head may differ.


def test_a_bundle_of_a_bundle_is_the_same_bundle(
    command: Command, bundle: Path, tmp_path: Path
) -> None:
    document = opened_by(command, bundle, tmp_path / "there")
    again = tmp_path / "again.zip"
    edge = Edge(db=tmp_path / "there/retrospan.duckdb", config=tmp_path / "there/retrospan.toml")
    bundles.bundled(edge, str(document["incident_id"]), again, objectives=[bundles.SLO])
    with zipfile.ZipFile(bundle) as one, zipfile.ZipFile(again) as two:
        for name in one.namelist():
            if name not in (layout.MANIFEST, layout.PROOFS, layout.HEAD):
                assert one.read(name) == two.read(name), name


@pytest.mark.parametrize("name", [layout.SPANS, layout.RECORDINGS, layout.REPORTS[1]])
def test_a_changed_entry_is_named_before_anything_reads_it(
    command: Command, bundle: Path, tmp_path: Path, name: str
) -> None:
    with zipfile.ZipFile(bundle) as archive:
        content = archive.read(name)
    changed = repacked(bundle, tmp_path, {name: content[:-9] + b"_" + content[-8:]}, honest=False)
    said = command("bundle", "open", changed, "-o", tmp_path / "there")
    assert said.code == 4 and "changed since the manifest was written" in said.err
    assert name in said.err


def test_a_report_that_says_something_else_is_drift(
    command: Command, bundle: Path, tmp_path: Path
) -> None:
    """Whoever mends the digests too is found out by the data."""
    with zipfile.ZipFile(bundle) as archive:
        plain = archive.read(layout.REPORTS[0])
        assert b"did not do what" in plain
        report = plain.replace(b"did not do what", b"surely did what")
    changed = repacked(bundle, tmp_path, {layout.REPORTS[0]: report}, honest=True)
    said = command("bundle", "open", changed, "-o", tmp_path / "there", "--json")
    assert said.code == 3, said.err
    assert len(said.document["drifted"]) >= 1


def test_another_format_missing_entries_and_foreign_tables_are_refused(
    command: Command, bundle: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read(layout.MANIFEST))
    cases: list[tuple[dict[str, bytes | None], bool, str]] = [
        ({layout.LOGS: None}, True, "lacks data/logs.parquet"),
        ({"stray.txt": b"x"}, False, "does not name stray.txt"),
        ({layout.SETTINGS: b'[slo]\nfiles = ["/etc"]\n'}, True, "carries no table slo"),
        (
            {layout.MANIFEST: json.dumps({**manifest, "format": "retrospan.bundle/9"}).encode()},
            False,
            "retrospan.bundle/1",
        ),
        ({layout.SPANS: b"PAR1 no parquet"}, True, "no readable Parquet"),
    ]
    for number, (changes, honest, reason) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        said = command(
            "bundle", "open", repacked(bundle, folder, changes, honest), "-o", folder / "t"
        )
        assert said.code == 4 and reason in said.err, said.err


def test_no_planted_secret_is_in_any_byte_of_a_bundle(tmp_path: Path) -> None:
    """Secrets that came into the store before there was a rule for them do not leave it."""
    planter = Planter("aq7b" * 6, "note", list(range(11)))
    leaky = bundles.stored(
        tmp_path / "leaky.duckdb",
        [
            bundles.batch(7 + index, [index], note=planter.text(), said=planter.text())
            for index in range(bundles.FLOWS)
        ],
        title=planter.text(),
    )
    plain = tmp_path / "plain.zip"
    bundles.bundled(*leaky, plain, Level.AS_STORED)
    assert any(_in_bundle(plain, secret) for secret in planter.secrets)
    for level in (Level.SECRETS, Level.BODIES):
        output = tmp_path / f"{level}.zip"
        written = bundles.bundled(*leaky, output, level)
        assert written.changed >= bundles.FLOWS
        for secret in planter.secrets:
            assert not _in_bundle(output, secret), secret


def _in_bundle(path: Path, word: str) -> bool:
    if word.encode() in path.read_bytes():
        return True
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".parquet"):
                with archive.open(name) as stream:
                    content = repr(pq.read_table(stream).to_pylist()).encode()
            if word.encode() in content:
                return True
    return False


def test_bodies_leaves_out_what_was_said_and_still_opens(
    command: Command, world: tuple[Edge, str], tmp_path: Path
) -> None:
    output = tmp_path / "bodies.zip"
    written = bundles.bundled(*world, output, Level.BODIES)
    assert written.changed == 2 * bundles.FLOWS  # logs and decisions had something to say
    assert not _in_bundle(output, "small sum")
    document = opened_by(command, output, tmp_path / "there")
    assert document["redaction"] == "bodies"


def test_a_file_of_the_users_own_with_a_secret_in_it_is_refused_by_name(
    world: tuple[Edge, str], tmp_path: Path
) -> None:
    policy = tmp_path / "gate.rego"
    policy.write_text('token := "Bearer abcdefghijklmnopqrstuvwxyz012345"\n')
    with pytest.raises(DataError, match=r"gate\.rego holds what looks like a secret"):
        bundles.bundled(*world, tmp_path / "b.zip", policies=[policy])
    assert not (tmp_path / "b.zip").exists()


def test_around_takes_only_flows_near_the_incident(
    command: Command, world: tuple[Edge, str], tmp_path: Path
) -> None:
    edge, incident_id = world
    said = command(
        "bundle", "write", incident_id, "-o", "near.zip", "--around", "15s", "--json",
        "--db", edge.db, "--config", edge.config,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.document["flows"] == 9  # 20 s to 80 s, and one flow each 10 s beside it
    assert opened_by(command, tmp_path / "near.zip", tmp_path / "there")["flows"] == 9


def test_a_folder_in_use_and_a_file_that_is_no_zip_are_refused(
    command: Command, bundle: Path, tmp_path: Path
) -> None:
    used = tmp_path / "used"
    used.mkdir()
    (used / "mine.txt").write_text("mine")
    said = command("bundle", "open", bundle, "-o", used)
    assert said.code == 4 and "not empty" in said.err
    assert [path.name for path in used.iterdir()] == ["mine.txt"]
    (tmp_path / "no.zip").write_bytes(random.Random(3).randbytes(500))
    assert command("bundle", "open", tmp_path / "no.zip", "-o", tmp_path / "x").code == 4


def test_opening_in_process_tells_how_far_it_is(bundle: Path, tmp_path: Path) -> None:
    told: list[str] = []
    edge = Edge(db=tmp_path / "unused.duckdb", config=None, quiet=True)
    opened = open_bundle(edge, bundle, tmp_path / "there", told.append)
    assert opened.same_version and opened.replays == 6
    assert told[0] == "unpacking" and told[-1] == ""
    assert not (tmp_path / "unused.duckdb").exists()
