"""A team's own names become ours, beside what was recorded."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.aliases import Aliases, Naming
from ingest.own_rules import OwnRules
from ingest.pipeline import IngestSettings, ingest_paths
from store.lease import Store
from store.model import LogRecord, Span, SpanEvent, SpanLink
from store.read import read_logs, read_spans

KEY = b"a key for tests only"
T0 = 1_700_000_000_000_000_000
TABLE = Aliases(
    names={
        "retrospan.saga.resource": ("acme.order.ref", "order_ref"),
        "retrospan.idempotency_key": ("acme.password",),
        "service.name": ("acme.app",),
    }
)


def attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def document(span: dict[str, str], log_body: str = "hello") -> dict[str, Any]:
    """One span and one log of an application that names things its own way."""
    resource = {"attributes": attributes({"acme.app": "shop"})}
    ids = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1"}
    times = {"startTimeUnixNano": str(T0), "endTimeUnixNano": str(T0 + 1)}
    record = {"timeUnixNano": str(T0), "body": {"stringValue": log_body}, **ids}
    return {
        "resourceSpans": [
            {
                "resource": resource,
                "scopeSpans": [
                    {"spans": [{**ids, **times, "name": "s", "attributes": attributes(span)}]}
                ],
            }
        ],
        "resourceLogs": [
            {
                "resource": resource,
                "scopeLogs": [{"logRecords": [{**record, "attributes": attributes(span)}]}],
            }
        ],
    }


def stored(store: Store) -> tuple[list[Span], list[LogRecord]]:
    with store.lease("test") as session:
        return list(read_spans(session)), list(read_logs(session))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "in.json"
    found.write_text(json.dumps(document({"order_ref": "o-7", "acme.password": "hunter2hunter2"})))
    return found


def test_an_absent_name_is_added_and_the_recorded_one_stays(store: Store, path: Path) -> None:
    ingest_paths(store, [str(path)], IngestSettings(redaction_key=KEY, aliases=TABLE))
    (span,), (log,) = stored(store)
    for record in (span, log):
        assert record.attributes["retrospan.saga.resource"] == "o-7"
        assert record.attributes["order_ref"] == "o-7"
        assert record.resource == {"acme.app": "shop", "service.name": "shop"}
        assert record.service == "shop"


def test_a_secret_does_not_slip_into_an_exempt_name(store: Store, path: Path) -> None:
    ingest_paths(store, [str(path)], IngestSettings(redaction_key=KEY, aliases=TABLE))
    (span,), _ = stored(store)
    assert span.attributes["retrospan.idempotency_key"] == span.attributes["acme.password"]
    assert "hunter2" not in str(span)


def test_the_first_alias_counts_and_a_canonical_value_is_never_replaced() -> None:
    naming = Naming(TABLE)
    both = naming.attributes({"order_ref": "b", "acme.order.ref": "a"})
    assert both["retrospan.saga.resource"] == "a"
    own = {"retrospan.saga.resource": "c", "order_ref": "b"}
    assert naming.attributes(own) is own
    none = {"x": "y"}
    assert naming.attributes(none) is none


def test_events_and_links_have_aliases_too() -> None:
    told = {"order_ref": "o-7"}
    span = Span(
        trace_id="1" * 32,
        span_id="1" * 16,
        parent_span_id=None,
        name="s",
        kind="internal",
        service="shop",
        start_ns=1,
        end_ns=2,
        events=(SpanEvent(name="e", time_ns=1, attributes=told),),
        links=(SpanLink(trace_id="2" * 32, span_id="2" * 16, attributes=told),),
    )
    found = Naming(TABLE).item(span)
    assert isinstance(found, Span)
    expected = {"order_ref": "o-7", "retrospan.saga.resource": "o-7"}
    assert [found.events[0].attributes, found.links[0].attributes] == [expected, expected]
    assert found.service == "shop"


@pytest.mark.parametrize(
    "names", [{"a": ()}, {"a": ("a",)}, {"": ("b",)}, {"a": ("",)}, {"a": tuple("bcdefgh" * 5)}]
)
def test_a_table_that_makes_no_sense_is_refused(names: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match=r"name|alias"):
        Aliases(names=names)


def test_the_order_of_aliases_is_part_of_the_digest_and_no_table_has_none() -> None:
    one, other = Aliases(names={"a": ("b", "c")}), Aliases(names={"a": ("c", "b")})
    assert one.digest() != other.digest()
    assert Aliases().digest() == ""
    assert Aliases(names={"x": ("y",), "a": ("b",)}).digest() == (
        Aliases(names={"a": ("b",), "x": ("y",)}).digest()
    )


def settings(**more: Any) -> IngestSettings:
    return IngestSettings(redaction_key=KEY, **more)


@pytest.mark.parametrize(
    "changed",
    [
        settings(aliases=TABLE),
        settings(own_rules=OwnRules(names=("order.ref",))),
        settings(redact=False),
    ],
)
def test_a_load_under_other_rules_takes_the_place_of_the_first_and_back(
    store: Store, tmp_path: Path, path: Path, changed: IngestSettings
) -> None:
    alone = Store(tmp_path / "alone.duckdb")
    ingest_paths(alone, [str(path)], changed)
    first = ingest_paths(store, [str(path)], settings())
    assert (first.total("spans"), first.total("logs")) == (1, 1)
    before = stored(store)
    for under, expected in ((changed, stored(alone)), (settings(), before)):
        again = ingest_paths(store, [str(path)], under)
        assert [again.total(n) for n in ("spans", "logs", "superseded")] == [0, 0, 2]
        assert stored(store) == expected
        once_more = ingest_paths(store, [str(path)], under)
        assert [once_more.total(n) for n in ("superseded", "duplicates")] == [0, 2]
        assert stored(store) == expected


def test_logs_at_one_instant_are_each_replaced_by_their_own_reading(
    store: Store, tmp_path: Path
) -> None:
    documents = [
        document({"order_ref": f"o-{number}"}, f"line {number}")["resourceLogs"][0]
        for number in range(6)
    ]
    path = tmp_path / "logs.json"
    path.write_text(json.dumps({"resourceLogs": documents}))
    ingest_paths(store, [str(path)], settings(records_per_batch=2))
    ingest_paths(store, [str(path)], settings(records_per_batch=2, aliases=TABLE))
    _, logs = stored(store)
    assert {(log.body, log.attributes["retrospan.saga.resource"]) for log in logs} == {
        (f"line {number}", f"o-{number}") for number in range(6)
    }
    assert len(logs) == 6
