"""Messages: lag, redelivery, loss and dead letters, told only where a consumer is recorded."""

import tomllib
from dataclasses import replace
from pathlib import Path

from analyzer.conformance import ConformanceSettings, conformance, reports
from analyzer.derive.declared import declared_flows
from analyzer.rebuild import RebuildSettings, rebuild
from ingest.pipeline import IngestSettings, ingest_paths
from store.conclusions import Verdict
from store.lease import Store
from store.model import Span, SpanLink
from tests.analyzer.builder import make_span
from tests.analyzer.conformance.recorded import answer, cells

MINUTE_MS = 60_000
SAMPLE = Path(__file__).parents[3] / "sample_traces" / "enrichment-drift"


def sent(number: int, at: float, queue: str = "orders", message: str | None = None) -> Span:
    attributes: dict[str, str] = {"messaging.destination.name": queue}
    if message is not None:
        attributes["messaging.message.id"] = message
    return make_span(
        f"send {queue}", at, at + 1, number=number, kind="producer", service="shop",
        trace=f"{number:032x}", attributes=dict(attributes),
    )  # fmt: skip


def taken(
    number: int, at: float, of: Span | None, queue: str = "orders", message: str | None = None
) -> Span:
    attributes: dict[str, str] = {"messaging.destination.name": queue}
    if message is not None:
        attributes["messaging.message.id"] = message
    links = [] if of is None else [SpanLink(trace_id=of.trace_id, span_id=of.span_id)]
    return make_span(
        f"process {queue}", at, at + 1, number=number, kind="consumer", service="store",
        trace=f"{number:032x}", links=links, attributes=dict(attributes),
    )  # fmt: skip


def later() -> Span:
    """Data went on long after."""
    return make_span("later", 10 * MINUTE_MS, 10 * MINUTE_MS + 1, number=999, trace="9" * 32)


def test_lag_is_from_the_end_of_sending_to_the_beginning_of_taking(tmp_path: Path) -> None:
    first, second = sent(1, 0), sent(2, 0, message="m")
    spans = [first, second, taken(3, 11, first), taken(4, 101, None, message="m"), later()]
    found = answer(tmp_path, spans, "messaging", message_lag_max_ms=200)
    assert found.verdict is Verdict.PASS
    assert cells(found, "produced", "consumed", "lag_median_ns", "lag_most_ns") == [
        (2, 2, 10_000_000, 100_000_000)
    ]
    late = answer(tmp_path, spans, "messaging", message_lag_max_ms=50)
    assert late.verdict is Verdict.VIOLATION


def test_a_message_taken_twice_by_one_service_was_redelivered(tmp_path: Path) -> None:
    first = sent(1, 0)
    again = [first, taken(2, 5, first), taken(3, 50, first), later()]
    assert cells(answer(tmp_path, again, "messaging"), "redelivered") == [(1,)]
    other = replace(taken(3, 50, first), service="audit")
    spans = [first, taken(2, 5, first), other, later()]
    assert cells(answer(tmp_path, spans, "messaging"), "redelivered") == [(0,)]


def test_a_message_nobody_took_is_lost_only_where_others_are_taken(tmp_path: Path) -> None:
    first, second = sent(1, 0), sent(2, 0)
    spans = [first, second, taken(3, 5, first), later()]
    found = answer(tmp_path, spans, "messaging", messages_must_arrive=True)
    assert found.verdict is Verdict.VIOLATION
    assert [one.span_id for one in found.evidence] == [second.span_id]
    unseen = answer(tmp_path, [first, second, later()], "messaging", messages_must_arrive=True)
    assert (unseen.verdict, unseen.unknown) == (Verdict.UNKNOWN, 2)
    assert cells(unseen, "never_consumed") == [(None,)]


def test_at_the_end_of_the_data_a_message_is_open_not_lost(tmp_path: Path) -> None:
    first, second = sent(1, 0), sent(2, 100)
    found = answer(
        tmp_path, [first, second, taken(3, 5, first)], "messaging", messages_must_arrive=True
    )
    assert found.verdict is Verdict.PASS
    assert cells(found, "never_consumed", "still_open") == [(0, 1)]


def test_dead_letter_queues_are_known_by_their_names(tmp_path: Path) -> None:
    names = ("orders.DLQ", "orders-dead-letter", "orders", "mldlqx")
    spans = [sent(number, 0, queue) for number, queue in enumerate(names, 1)]
    found = answer(tmp_path, spans, "messaging")
    assert dict(cells(found, "destination", "dead_letter")) == {
        "orders.DLQ": True, "orders-dead-letter": True, "orders": False, "mldlqx": False,
    }  # fmt: skip


def test_the_table_of_a_recorded_chain_of_queues_is_that_of_the_brokers_books(
    tmp_path: Path,
) -> None:
    """The broker counted messages, deliveries and what it delivered again, apart from all spans."""
    store = Store(tmp_path / "s.duckdb")
    ingest_paths(store, [str(SAMPLE)], IngestSettings(redaction_key=b"k" * 32))
    rebuild(store, RebuildSettings())
    asked = [one for one in reports() if one.name in ("messaging", "declared_flows")]
    tables = tomllib.loads((SAMPLE / "retrospan.toml").read_text())["declared"]
    settings = ConformanceSettings(declared=declared_flows(tables))
    with store.lease("test") as session:
        answers = conformance(session, settings, asked)
    found = answers["messaging"]
    books = tomllib.loads((SAMPLE / "expected.toml").read_text())["topics"]
    assert cells(found, "destination", "consumed", "redelivered", "never_consumed") == [
        (book["topic"], book["deliveries"], book["delivered_again"], 0) for book in books
    ]
    lags = dict(cells(found, "destination", "lag_most_ns"))
    for book in books:
        if lags[book["topic"]] is not None:
            # Spans begin and end a little after the broker wrote its books.
            assert abs(lags[book["topic"]] - book["wait_max_ms"] * 1_000_000) < 100_000_000
    dead = {name for name, is_dead in cells(found, "destination", "dead_letter") if is_dead}
    assert dead == {"company.looked-up.dead", "company.submitted.dead"}
    # Steps that messages caused are the flow's own: none is missing. One was extracted twice.
    assert cells(answers["declared_flows"], "departure", "affected_flows") == [("out of order", 1)]
