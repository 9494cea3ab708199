"""Feature flags that were evaluated outside the decision log are decisions of their own."""

from pathlib import Path

import pytest

from analyzer.oversight.flags import read_flags, variants
from analyzer.oversight.metrics.arms import arms_of
from analyzer.oversight.policy import facts_of
from analyzer.oversight.provenance import Link, provenance
from analyzer.oversight.read import read_joined, read_one
from analyzer.rebuild import rebuild
from analyzer.settings import RebuildSettings
from store.errors import NotFoundError
from store.lease import Store
from store.model import Batch, Decision, LogRecord, Span, SpanEvent
from store.write import write_batch
from tests.retrospan.records import log, span


def evaluated(trace: int, flag: str, variant: str, **fields: str) -> LogRecord:
    return log(
        trace, trace_id=f"{trace:032x}", span_id=f"{1:016x}", event_name="feature_flag.evaluation",
        attributes={"feature_flag.key": flag, "feature_flag.result.variant": variant, **fields},
    )  # fmt: skip


def stored(
    path: Path, spans: list[Span], logs: list[LogRecord], decisions: list[Decision]
) -> Store:
    store = Store(path)
    batch = Batch(
        source="x", content_sha256="0:0", reader="x", rules_sha256="", spans=spans, logs=logs,
        decisions=decisions,
    )  # fmt: skip
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(store, RebuildSettings())
    return store


def decided(trace: int, **record: object) -> Decision:
    return Decision(
        decision_id=f"d{trace}", time_ns=2, chosen="yes", trace_id=f"{trace:032x}",
        span_id=f"{1:016x}", record=record,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def flags(tmp_path: Path) -> Store:
    event = SpanEvent(
        name="feature_flag.evaluation", time_ns=7,
        attributes={"feature_flag.key": "fast", "feature_flag.variant": "on",
                    "feature_flag.provider_name": "flagd"},
    )  # fmt: skip
    spans = [
        span(1, 1, kind="server", events=[event]),
        span(1, 2, kind="server",
             attributes={"feature_flag.key": "dark", "feature_flag.result.value": "blue"}),
        span(1, 3, kind="server"),
    ]  # fmt: skip
    logs = [
        evaluated(3, "fast", "off", **{"feature_flag.result.reason": "split"}),
        evaluated(3, "both", "a"),
        evaluated(3, "both", "b"),
    ]
    decisions = [decided(1), decided(2, feature_flags={"dark": "red"}), decided(3)]
    return stored(tmp_path / "x.duckdb", spans, logs, decisions)


def test_an_evaluation_is_a_decision_wherever_it_was_recorded(flags: Store) -> None:
    with flags.lease("test") as session:
        found = read_flags(session)
    told = {(it.flow_id, it.chosen, it.record["source"]) for it in found}
    assert told == {
        (f"trace:{1:032x}", "on", "span event"), (f"trace:{2:032x}", "blue", "span"),
        (f"trace:{3:032x}", "off", "log"), (f"trace:{3:032x}", "a", "log"),
        (f"trace:{3:032x}", "b", "log"),
    }  # fmt: skip
    first = next(it for it in found if it.chosen == "on")
    assert first.record["kind"] == "flag"
    assert first.record["provider"] == "flagd"
    assert first.record["feature_flags"] == {"fast": "on"}


def test_one_evaluation_is_found_by_its_id_with_its_flow(flags: Store) -> None:
    with flags.lease("test") as session:
        for wanted in read_flags(session):
            found = read_one(session, wanted.decision_id)
            assert found.decision == wanted
            assert found.flow is not None and found.flow.flow_id == wanted.flow_id
            hops = {hop.name: hop for hop in provenance(found)}
            assert wanted.chosen in hops.pop("policy").said
            assert {hop.link for hop in hops.values()} == {Link.NOT_APPLICABLE}
        with pytest.raises(NotFoundError, match=f"the nearest: .*{wanted.chosen}"):
            read_one(session, f"{wanted.decision_id}x")


def test_two_variants_of_one_flag_in_a_flow_are_neither(flags: Store) -> None:
    with flags.lease("test") as session:
        assert variants(read_flags(session)) == {
            f"trace:{1:032x}": {"fast": "on"},
            f"trace:{2:032x}": {"dark": "blue"},
            f"trace:{3:032x}": {"fast": "off"},
        }


def test_decisions_are_in_the_arm_of_their_flow_unless_their_record_says_another(
    flags: Store,
) -> None:
    with flags.lease("test") as session:
        decisions, _ = read_joined(session)
    by_id = {it.decision.decision_id: it for it in decisions}
    assert {name: dict(arms_of(it)) for name, it in by_id.items()} == {
        "d1": {"fast": "on"}, "d2": {"dark": "red"}, "d3": {"fast": "off"},
    }  # fmt: skip
    assert facts_of(by_id["d1"])["flags"] == {"fast": "on"}


def test_flags_are_not_asked_what_models_are_asked(flags: Store) -> None:
    """They are no decision records that lack a confidence: the others' metrics stay the same."""
    with flags.lease("test") as session:
        decisions, _ = read_joined(session)
    assert [it.decision.decision_id for it in decisions] == ["d1", "d2", "d3"]
