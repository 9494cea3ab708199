"""What only an anchor kept elsewhere can find, through the command line as a user would."""

import hashlib
import json
from pathlib import Path

import duckdb
import pytest

from retrospan.tree_head import Head, anchored, public_key, read_head, signed
from store import decision_leaf, merkle
from store.errors import DataError
from tests.retrospan.conftest import Command

KEY = b"a signing key for tests"


def change(db: Path, *statements: str) -> None:
    """As somebody who has the file and a DuckDB client."""
    with duckdb.connect(str(db)) as connection:
        for sql in statements:
            connection.execute(sql)


def test_an_untouched_log_stands_against_its_head(db: Path, command: Command) -> None:
    assert command("decisions", "head", "-o", "h.json").code == 0
    said = command("decisions", "verify", "--head", "h.json", "--json")
    assert said.code == 0
    assert said.document["chain"] == said.document["anchor"]["chain"] == "intact"
    assert said.document["tree_size"] == json.loads(Path("h.json").read_text())["tree_size"] > 3


def test_a_cut_tail_shows_only_against_a_head(db: Path, command: Command) -> None:
    command("decisions", "head", "-o", "h.json")
    change(
        db,
        "DELETE FROM decisions WHERE leaf_index >= 3",
        "DELETE FROM decision_leaves WHERE leaf_index >= 3",
    )
    alone = command("decisions", "verify")
    assert alone.code == 0
    assert "a log written anew as a whole, shows only against a head kept elsewhere" in alone.out
    said = command("decisions", "verify", "--head", "h.json", "--json")
    assert (said.code, said.document["chain"]) == (3, "truncated")
    assert "are gone" in said.document["anchor"]["said"]


def test_a_log_written_anew_as_a_whole_shows_only_against_a_head(
    db: Path, command: Command
) -> None:
    """Every decision changed, and every leaf made again, as one who knows this program can."""
    from store.decision_log import check_log, fill_leaves, leaf_key
    from store.lease import Store

    command("decisions", "head", "-o", "h.json")
    change(db, "UPDATE decisions SET chosen = 'approve'", "DELETE FROM decision_leaves")
    with Store(db).lease("forge") as session:
        fill_leaves(session, leaf_key(b"the forger's own key"))
        assert check_log(session).faults == []
    assert command("decisions", "verify").code == 0
    said = command("decisions", "verify", "--head", "h.json", "--json")
    assert (said.code, said.document["chain"], said.document["first_broken"]) == (3, "broken", None)
    assert "written anew" in said.document["anchor"]["said"]


def test_an_edit_is_found_without_a_head_and_no_head_is_signed_of_it(
    db: Path, command: Command
) -> None:
    change(db, "UPDATE decisions SET confidence = '0.999' WHERE leaf_index = 2")
    said = command("decisions", "verify", "--json")
    assert (said.code, said.document["chain"], said.document["first_broken"]) == (3, "broken", 2)
    refused = command("decisions", "head", "-o", "h.json")
    assert refused.code == 3
    assert not Path("h.json").exists()


def test_a_head_that_was_edited_or_signed_by_another_is_refused(
    db: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("decisions", "head", "-o", "h.json")
    head = json.loads(Path("h.json").read_text())
    Path("edited.json").write_text(json.dumps({**head, "signed_at": "2020-01-01T00:00:00Z"}))
    said = command("decisions", "verify", "--head", "edited.json", "--json")
    assert (said.code, said.document["anchor"]["genuine"]) == (3, False)
    monkeypatch.setenv("RETROSPAN_SIGNING_KEY", "another key of another person")
    other = command("decisions", "verify", "--head", "h.json")
    assert other.code == 3
    assert "not by the expected key" in other.out
    trusted = command("decisions", "verify", "--head", "h.json", "--public-key", head["public_key"])
    assert trusted.code == 0


def test_the_key_lies_outside_the_data_and_is_private(db: Path, command: Command) -> None:
    command("decisions", "head")
    (path,) = Path("config").rglob("signing.key")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() not in db.read_bytes()


def test_a_later_head_proves_that_the_earlier_log_is_its_beginning(tmp_path: Path) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(9)]
    for size in range(1, 10):
        head = _head(tmp_path, leaves[:size])
        document = signed(leaves, "2026-01-02T00:00:00Z", KEY, head)
        earlier = document["earlier"]
        assert isinstance(earlier, dict) and isinstance(earlier["consistency"], list)
        proof = [bytes.fromhex(str(step)) for step in earlier["consistency"]]
        assert merkle.consistent(size, head.root_hash, 9, merkle.root(leaves), proof)


def _head(folder: Path, leaves: list[bytes]) -> Head:
    """The head of a log, written and read again."""
    path = folder / "head.json"
    path.write_text(json.dumps(signed(leaves, "2026-01-01T00:00:00Z", KEY)))
    return read_head(path)


def test_what_came_after_the_head_is_told_as_unanchored(tmp_path: Path) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(5)]
    state = anchored(leaves, _head(tmp_path, leaves[:3]), public_key(KEY))
    assert state.chain == "intact"
    assert "2 came later and no head vouches for them" in state.said


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "retrospan.tree_head/9"}', "[" * 100_000]
)
def test_what_is_no_head_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "h.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"h\.json"):
        read_head(path)


def test_a_proof_is_checked_with_nothing_but_hashes(db: Path, command: Command) -> None:
    """As the page 0007 tells a stranger to; only the canonical form is ours."""
    said = command("decisions", "prove", "decision-020", "--hide", "chosen", "--json")
    proof = said.document
    fields = {
        name: hashlib.sha256(
            bytes.fromhex(field["salt"]) + decision_leaf.canonical(field["value"])
        ).hexdigest()
        for name, field in proof["shown"].items()
    } | proof["hidden"]
    body = json.dumps(
        {"fields": fields, "schema": "retrospan.leaf/1"}, sort_keys=True, separators=(",", ":")
    )
    leaf = hashlib.sha256(b"\x00" + body.encode()).digest()
    assert leaf.hex() == proof["leaf_hash"]
    path = [bytes.fromhex(step) for step in proof["path"]]
    root = bytes.fromhex(command("decisions", "verify", "--json").document["root_hash"])
    assert merkle.included(leaf, proof["leaf_index"], proof["tree_size"], path, root)
    assert "chosen" not in proof["shown"]


def test_what_does_not_exist_is_named(db: Path, command: Command) -> None:
    for verb in ("show", "prove"):
        said = command("decisions", verb, "nobody")
        assert said.code == 4
        assert "nobody" in said.err
