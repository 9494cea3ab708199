"""The decision log tells what was done to it behind its back.

The tests change the database file as somebody would who has it and a DuckDB client. What they
cannot prove: that somebody who also rewrites every leaf is found without an anchor kept elsewhere;
`tests/retrospan/test_decision_proofs.py` holds what an anchor finds.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import decision_leaf, merkle
from store.decision_log import STORED, check_log, fill_leaves, leaf_key, prove
from store.errors import NotFoundError
from store.lease import Session, Store
from store.model import Batch, Decision, JsonValue
from store.write import write_batch

KEY = b"a key for tests, outside the data"
COUNT = 7
ZEROS = "0" * 64


def decision(number: int, **fields: object) -> Decision:
    record: dict[str, JsonValue] = {
        "schema": "retrospan.decision/1", "decision_id": f"d-{number}", "chosen": "pay",
        "confidence": 0.5 + number / 100, "actor": {"service": "s"}, "seq": number,
    }  # fmt: skip
    made = Decision(
        decision_id=f"d-{number}", time_ns=1_700_000_000_000_000_000 + number, chosen="pay",
        confidence=str(record["confidence"]), seq=number, record=record,
    )  # fmt: skip
    return replace(made, **fields)  # type: ignore[arg-type]


def load(session: Session, decisions: list[Decision], key: bytes = KEY, name: str = "log") -> None:
    batch = Batch(
        source="t", content_sha256=name, reader="t/1", rules_sha256="0", decisions=decisions,
        leaf_key=key,
    )  # fmt: skip
    write_batch(session, batch)


@pytest.fixture
def log(session: Session) -> Session:
    """A store with seven decisions."""
    load(session, [decision(number) for number in range(COUNT)])
    return session


def test_an_untouched_log_has_no_fault(log: Session) -> None:
    found = check_log(log)
    assert (found.faults, found.tree_size, found.purged) == ([], COUNT, 0)
    assert found.producer.gaps == []
    assert found.producer.numbered == COUNT


def test_an_empty_log_has_the_root_of_nothing(session: Session) -> None:
    found = check_log(session)
    assert (found.tree_size, found.faults) == (0, [])
    assert found.root_hash == hashlib.sha256().digest()


@pytest.mark.parametrize(
    ("sql", "place", "said"),
    [
        (
            "UPDATE decisions SET record = replace(record::VARCHAR, '0.53', '0.99')::JSON "
            "WHERE decision_id = 'd-3'",
            3,
            "not what its leaf commits to",
        ),
        (
            "UPDATE decisions SET confidence = '0.99' WHERE decision_id = 'd-3'",
            3,
            "not what its leaf commits to",
        ),
        (
            "UPDATE decisions SET time_ns = time_ns + 1 WHERE decision_id = 'd-2'",
            2,
            "not what its leaf commits to",
        ),
        ("DELETE FROM decisions WHERE decision_id = 'd-4'", 4, "is gone"),
        ("DELETE FROM decisions WHERE decision_id = 'd-6'", 6, "is gone"),
        ("DELETE FROM decision_leaves WHERE leaf_index = 2", 2, "the leaves go on at 3"),
        (
            "INSERT INTO decisions BY NAME SELECT * REPLACE ('d-x' AS decision_id) "
            "FROM decisions WHERE decision_id = 'd-5'",
            5,
            "two decisions have this place",
        ),
        (
            "INSERT INTO decisions BY NAME SELECT * REPLACE ('d-x' AS decision_id, 7 AS leaf_index)"
            " FROM decisions WHERE decision_id = 'd-5'",
            7,
            "no leaf was ever made",
        ),
        (
            "UPDATE decisions SET leaf_index = CASE leaf_index WHEN 1 THEN 2 ELSE 1 END "
            "WHERE leaf_index IN (1, 2)",
            1,
            "the leaf here is that of d-1",
        ),
        (
            "UPDATE decision_leaves SET leaf = '\\x00'::BLOB WHERE leaf_index = 0",
            0,
            "not what its leaf commits to",
        ),
        (
            "UPDATE decision_leaves SET salt = NULL WHERE leaf_index = 0",
            0,
            "the salt of its leaf is gone",
        ),
        (
            "UPDATE decisions SET record = '{\"retrospan.purged\": true}' WHERE leaf_index = 0",
            0,
            "names another leaf",
        ),
    ],
)
def test_what_was_done_to_the_file_is_found_at_its_place(
    log: Session, sql: str, place: int, said: str
) -> None:
    log.cursor.execute(sql)
    found = check_log(log)
    assert found.faults
    assert found.faults[0].leaf_index == place
    assert any(said in it.said for it in found.faults if it.leaf_index == place)


def test_a_new_decision_never_takes_the_place_of_one_that_was_deleted(log: Session) -> None:
    log.cursor.execute("DELETE FROM decisions WHERE decision_id = 'd-2'")
    load(log, [decision(9)], name="more")
    ((place,),) = log.cursor.execute(
        "SELECT leaf_index FROM decisions WHERE decision_id = 'd-9'"
    ).fetchall()
    assert place == COUNT
    assert [fault.leaf_index for fault in check_log(log).faults] == [2]


def test_a_cut_tail_leaves_no_fault_but_a_smaller_tree(log: Session) -> None:
    """Which is why a head has to be kept elsewhere."""
    before = check_log(log)
    log.cursor.execute("DELETE FROM decisions WHERE leaf_index >= 5")
    log.cursor.execute("DELETE FROM decision_leaves WHERE leaf_index >= 5")
    after = check_log(log)
    assert after.faults == []
    assert after.tree_size == 5
    assert merkle.root(before.leaves[:5]) == after.root_hash


def test_the_same_decisions_give_the_same_tree_and_another_key_another_one(tmp_path: Path) -> None:
    roots = []
    for number, key in enumerate((KEY, KEY, b"another key of somebody else")):
        with Store(tmp_path / f"{number}.duckdb").lease("test", create=True) as session:
            load(session, [decision(place) for place in range(COUNT)], key)
            roots.append(check_log(session).root_hash)
    assert roots[0] == roots[1] != roots[2]


@pytest.mark.parametrize("hidden", [(), ("confidence",), ("confidence", STORED, "chosen")])
def test_a_proof_leads_to_the_root_whatever_is_hidden(log: Session, hidden: tuple[str]) -> None:
    root = check_log(log).root_hash
    for number in range(COUNT):
        proof = prove(log, f"d-{number}", hidden)
        fields = dict(proof.hidden)
        for name, (value, salt) in proof.shown.items():
            fields[name] = decision_leaf.commitment(value, salt)
        assert set(proof.hidden) == set(hidden)
        assert decision_leaf.leaf(fields) == proof.leaf
        assert merkle.included(proof.leaf, number, COUNT, proof.path, root)
        assert not merkle.included(proof.leaf, (number + 1) % COUNT, COUNT, proof.path, root)


def test_a_proof_of_what_is_not_in_the_log_is_refused(log: Session) -> None:
    with pytest.raises(NotFoundError, match="no decision nobody"):
        prove(log, "nobody")
    with pytest.raises(NotFoundError, match="no field secret; it has actor"):
        prove(log, "d-1", ["secret"])


def test_gaps_repeats_and_broken_links_of_the_producer_are_told(session: Session) -> None:
    first = decision(0)
    line = b'{"actor":{"service":"s"},"chosen":"pay","confidence":0.5,"decision_id":"d-0",' \
        b'"schema":"retrospan.decision/1","seq":0}'  # fmt: skip
    linked = decision(1)
    linked = replace(
        linked, record={**linked.record, "prev_sha256": hashlib.sha256(line).hexdigest()}
    )
    wrong = decision(2)
    wrong = replace(wrong, record={**wrong.record, "prev_sha256": ZEROS})
    later = [decision(5, time_ns=1), decision(9, decision_id="d-again", seq=5), decision(6)]
    load(session, [first, linked, wrong, *later, decision(8, seq=None)])
    told = check_log(session).producer
    assert told.gaps == [(3, 4)]
    assert told.repeated == [5]
    assert (told.numbered, told.unnumbered, told.out_of_order) == (6, 1, 2)
    assert (told.linked, told.unlinked, told.first_unlinked) == (1, 1, "d-2")


def test_a_record_that_bears_our_own_name_is_committed_to_as_well(session: Session) -> None:
    plain = decision(1)
    load(session, [replace(plain, record={**plain.record, STORED: {"mine": 1}})])
    assert check_log(session).faults == []
    session.cursor.execute(
        "UPDATE decisions SET record = replace(record::VARCHAR, '\"mine\":1', '\"mine\":2')::JSON"
    )
    assert len(check_log(session).faults) == 1


def test_leaves_of_a_store_without_any_are_made_once(log: Session) -> None:
    before = check_log(log)
    log.cursor.execute("DELETE FROM decision_leaves WHERE leaf_index <> 3")
    assert fill_leaves(log, leaf_key(KEY)) == COUNT - 1
    assert check_log(log).root_hash == before.root_hash
    assert fill_leaves(log, leaf_key(KEY)) == 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), min_size=1, max_size=4))
def test_whatever_a_record_holds_its_leaf_is_found_again(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "s.duckdb"
    made: Callable[..., Decision] = decision
    with Store(path).lease("test", create=True) as session:
        load(session, [made(number, record=record) for number, record in enumerate(records)])
        found = check_log(session)
        assert (found.faults, found.tree_size) == ([], len(records))
