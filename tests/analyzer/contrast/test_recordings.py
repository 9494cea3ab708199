"""On recorded flows: the true cause comes first, and halves of a healthy day do not differ."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.contrast import Contrast, FlowHead, Groups, contrast, read_facts, read_heads
from analyzer.contrast.facts import Facts
from analyzer.contrast.groups import (
    during_and_before,
    slow_and_fast,
    split,
    thinned,
    violated_and_clean,
)
from analyzer.rebuild import RebuildSettings, rebuild
from ingest.pipeline import IngestSettings, ingest_paths
from store.lease import Store

SAMPLES = Path(__file__).parents[3] / "sample_traces"
HALVES = 40


def loaded(folder: Path, name: str) -> Store:
    store = Store(folder / f"{name}.duckdb")
    ingest_paths(store, [str(SAMPLES / name)], IngestSettings(redaction_key=b"k" * 32))
    rebuild(store, RebuildSettings())
    return store


@pytest.fixture(scope="module")
def brownout(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return loaded(tmp_path_factory.mktemp("brownout"), "payment-brownout")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return loaded(tmp_path_factory.mktemp("healthy"), "payment-healthy")


def compared(store: Store, groups: Groups) -> Contrast:
    with store.lease("test") as session:
        facts = read_facts(session, groups.flow_ids)
    return contrast(facts, len(groups.selected))


def heads_of(store: Store) -> list[FlowHead]:
    with store.lease("test") as session:
        return read_heads(session)


def told(found: Contrast, count: int) -> list[set[tuple[str, str]]]:
    """Attribute names and values of the strongest single differences, with their twins."""
    single = [one for one in found.differences if len(one.terms) == 1 and one.more]
    return [
        {
            (term.attribute.name, term.value)
            for term in (*one.terms, *(term for same, term in one.twins if same))
        }
        for one in single[:count]
    ]


def test_what_broke_rules_is_first_of_all_the_faulty_release_and_its_policy(
    brownout: Store,
) -> None:
    """The fault plan: release 2.4.0 with policy v7, while gateway-eu answers late."""
    found = compared(brownout, violated_and_clean(heads_of(brownout)))
    first, *others = told(found, 12)
    assert ("flow version", "2.4.0") in first
    assert ("policy version", "v7") in first
    assert any(("error.type", "timeout") in facts for facts in others)
    assert any(name == "charge-eu at gateway-eu: attempts" for it in others for name, _ in it)
    best = next(one for one in found.differences if len(one.terms) == 1)
    assert best.share_selected == 1.0
    assert best.given


def test_what_followed_from_the_fault_is_not_called_given(brownout: Store) -> None:
    found = compared(brownout, violated_and_clean(heads_of(brownout)))
    given = {
        (term.attribute.source, term.attribute.name)
        for one in found.differences
        if one.given and one.more
        for term in one.terms
    }
    assert given
    assert given <= {("flow", "flow version"), ("decision", "policy version")}
    # gateway-us was only met after a failover.
    assert not any(
        one.given
        for one in found.differences
        for term in one.terms
        if term.attribute.service == "gateway-us"
    )


def test_what_was_slow_met_the_slow_gateway(brownout: Store) -> None:
    found = compared(brownout, slow_and_fast(heads_of(brownout)))
    top = set[tuple[str, str]]().union(*told(found, 6))
    assert ("error.type", "timeout") in top
    assert any(name == "charge-eu at gateway-eu: duration_ns" for name, _ in top)


def test_ids_are_dropped_whatever_is_compared(brownout: Store) -> None:
    found = compared(brownout, violated_and_clean(heads_of(brownout)))
    ids = {one.name for one in found.ids}
    assert {"retrospan.idempotency_key", "retrospan.saga.external_ref", "input order_id"} <= ids
    assert not ids & {term.attribute.name for one in found.differences for term in one.terms} - {
        "retrospan.saga.amount",
        "retrospan.saga.resource",
    }  # few values at some services


def test_halves_of_a_healthy_day_made_by_chance_do_not_differ(healthy: Store) -> None:
    """Every discovery would be false; at a rate of 5 % at most 2 of 40 halves may tell anything."""
    heads = heads_of(healthy)
    with healthy.lease("test") as session:
        facts = read_facts(session, [head.flow_id for head in heads])
    wrong = []
    tested = 0
    for seed in range(HALVES):
        order = list(range(len(heads)))
        random.Random(seed).shuffle(order)
        found = contrast(shuffled(facts, order), len(heads) // 2)
        wrong += [seed] if found.differences else []
        tested = max(tested, found.tested)
    assert len(wrong) <= 2
    assert tested > 100


def shuffled(facts: Facts, order: Sequence[int]) -> Facts:
    """The same facts with every flow at another place."""
    to = {old: new for new, old in enumerate(order)}

    def moved(mask: int) -> int:
        return sum(1 << to[place] for place in range(facts.flows) if mask >> place & 1)

    return Facts(
        flows=facts.flows,
        values={key: moved(mask) for key, mask in facts.values.items()},
        numbers={
            key: {to[place]: number for place, number in found.items()}
            for key, found in facts.numbers.items()
        },
        known={key: moved(mask) for key, mask in facts.known.items()},
    )


def test_groups_share_no_flow_and_the_selected_come_first(brownout: Store) -> None:
    heads = heads_of(brownout)
    groups = split(heads, "", lambda head: head.version == "2.4.0", lambda head: True)
    assert len(groups.selected) == 253
    assert len(set(groups.flow_ids)) == len(heads)
    middle = heads[300].start_ns
    window = during_and_before(heads, middle, heads[400].start_ns, "a window")
    assert (len(window.selected), len(window.baseline)) == (100, 300)


def test_very_large_groups_are_thinned_in_the_same_way_whatever_the_order(brownout: Store) -> None:
    heads = heads_of(brownout)
    groups = violated_and_clean(heads)
    backwards = violated_and_clean(heads[::-1])
    kept = thinned(groups, 50)
    assert (len(kept.selected), len(kept.baseline)) == (50, 50)
    assert kept.flow_ids == thinned(backwards, 50).flow_ids
    assert thinned(groups) == groups


def test_what_could_not_be_checked_is_told_and_what_is_suspected_is_in_neither_group() -> None:
    def head(name: str, verdict: str) -> FlowHead:
        return FlowHead(
            flow_id=name, name="payment", version="1", outcome="succeeded", start_ns=0, end_ns=1,
            architecture="central", complete=True, sampling="all", verdict=[verdict], findings=[],
        )  # fmt: skip

    verdicts = ("violation", "suspected", "unknown", "open", "pass", "not_applicable")
    groups = violated_and_clean([head(verdict, verdict) for verdict in verdicts])
    assert groups.flow_ids == ["violation", "unknown", "open", "pass", "not_applicable"]
    assert "2 of them could not be checked" in groups.question
