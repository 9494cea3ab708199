"""The Data quality page: who was heard when, what redaction replaced, which versions were met."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from analyzer.rebuild import RebuildSettings, rebuild
from dashboards.quality_parts.coverage import HOUR_NS, STEPS_MAX, Coverage, coverage_of, step_ns
from dashboards.serve import STORE_VARIABLE
from dashboards.summary import BUCKET_COUNT_MAX
from ingest.pipeline import ingest_paths
from ingest.settings import IngestSettings
from store.lease import Store
from tests.dashboards.conftest import HOSTILE, MS, START_NS
from tests.dashboards.test_pages import links, opened, shown, written

KEY = b"of a test only"
SECRETS = ("jane@example.com", "john@example.com", "hunter2-hunter2", "abcdefgh12345678")
HOURS = 70
SILENT, DEAF = (
    20,
    range(40, 44),
)  # hours without anything; with calls of payment and none of its spans


def attributes(values: dict[str, object]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": str(value)}} for key, value in values.items()]


def span(trace: int, number: int, parent: int | None, at: int, kind: int, **more: object) -> Any:
    return {
        "traceId": f"{trace:032x}", "spanId": f"{trace * 16 + number:016x}", "kind": kind,
        "name": "POST /pay", "startTimeUnixNano": str(at), "endTimeUnixNano": str(at + 20 * MS),
        "attributes": attributes(more),
        **({"parentSpanId": f"{trace * 16 + parent:016x}"} if parent is not None else {}),
    }  # fmt: skip


def recorded() -> list[dict[str, object]]:
    """A flow an hour: shop calls payment and a name nobody hears of."""
    shop, payment = [], []
    for hour in range(HOURS):
        if hour == SILENT:
            continue
        at = START_NS + hour * HOUR_NS
        mail = SECRETS[hour % 2]
        body = json.dumps({"mail": mail, "password": SECRETS[2], "amount": 3})
        old = {"http.method": "POST", "peer.service": HOSTILE}
        new = {"http.request.method": "POST", "service.peer.name": "payment"}
        secret = {"enduser.mail": mail, "http.request.header.authorization": f"Bearer {SECRETS[3]}"}
        shop += [
            span(hour + 1, 0, None, at, 2),
            span(hour + 1, 1, 0, at + MS, 3, **new, **secret, **{"http.request.body": body}),
            span(hour + 1, 2, 0, at + 2 * MS, 3, **old),
        ]
        if hour not in DEAF:
            payment.append(span(hour + 1, 3, 1, at + 5 * MS, 2))
    sdk = {"telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": "1.43.0"}
    return [
        {
            "resource": {"attributes": attributes({"service.name": service, **sdk})},
            "schemaUrl": "https://opentelemetry.io/schemas/1.27.0",
            "scopeSpans": [{"scope": {"name": "okhttp", "version": HOSTILE}, "spans": spans}],
        }
        for service, spans in (("shop", shop), ("payment", payment))
    ]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quality")
    (folder / "in.jsonl").write_text(json.dumps({"resourceSpans": recorded()}))
    store = Store(folder / "store.duckdb")
    ingest_paths(store, [str(folder / "in.jsonl")], IngestSettings(redaction_key=KEY))
    rebuild(store, RebuildSettings())
    return store.path


@pytest.fixture
def gappy(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    st.cache_resource.clear()
    monkeypatch.setenv(STORE_VARIABLE, str(kept))
    yield kept


def table(app: AppTest, column: str) -> Any:
    return next(one.value for one in app.dataframe if column in one.value)


def everything(app: AppTest) -> str:
    return written(app) + "\n".join(one.value.to_string() for one in app.dataframe)


def test_coverage_tells_silence_from_silence_while_called(gappy: Path) -> None:
    app = opened("quality", part="Coverage")
    rows = table(app, "longest silence").set_index("service")
    assert rows.loc["payment", "heard in"] == f"65 of {HOURS} steps"
    assert rows.loc["payment", "longest silence"] == "4 h"
    assert rows.loc["payment", "from"] == "2026-11-05 02:00:00 UTC"
    assert rows.loc["payment", "called while silent (n)"] == 4
    assert rows.loc["shop", "called while silent (n)"] == 0, "nobody calls it"
    told = written(app)
    assert "70 steps of 1 h from 2026-11-03 10:00:00 UTC, 1 of them without a record" in told
    assert "no span of theirs began: 1 service" in told
    assert "Called and never heard in this range: 1 service" in told
    assert "unknown, not zero" in told


def test_coverage_keeps_to_range_and_service(gappy: Path) -> None:
    around = {"from": "2026-11-05T01:00:00Z", "to": "2026-11-05T07:00:00Z"}
    app = opened("quality", part="Coverage", service="payment", **around)
    rows = table(app, "longest silence")
    assert list(rows["service"]) == ["payment"]
    assert "6 steps of" in written(app) or "steps of 10 min" in written(app)


def test_flows_and_decisions_are_counted_too(gappy: Path) -> None:
    flows = table(opened("quality", part="Coverage", count="Flows"), "flows (n)")
    assert dict(zip(flows["service"], flows["flows (n)"], strict=True))["shop"] == HOURS - 1
    assert "No decisions in this range" in written(
        opened("quality", part="Coverage", count="Decisions")
    )


def test_places_of_secrets_are_told_and_never_the_secrets(gappy: Path) -> None:
    app = opened("quality", part="Personal data")
    found = table(app, "replaced (n)").set_index("place")
    calls = HOURS - 1
    assert found.loc["enduser.mail", ["replaced (n)", "different values (n)", "kind"]].tolist() == [
        calls, 2, "the whole value: by its shape",
    ]  # fmt: skip
    header = found.loc["http.request.header.authorization"]
    assert header["kind"] == "the whole value: its name is a secret's"
    assert found.loc["http.request.body", "replaced (n)"] == 2 * calls
    assert found.loc["http.request.body", "kind"] == "within a text"
    text = everything(app)
    assert not [one for one in (*SECRETS, "[redacted:") if one in text]


def test_the_rules_of_a_load_are_told_apart(
    gappy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "1 input with 272 records loaded under the rules that are in force here" in written(
        opened("quality", part="Personal data")
    )
    config = tmp_path / "retrospan.toml"
    config.write_text('[redaction]\nnames = ["enduser.id"]\n')
    monkeypatch.setenv("RETROSPAN_CONFIG", str(config))
    assert "loaded under other rules" in written(opened("quality", part="Personal data"))


def test_data_loaded_without_redaction_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"resourceSpans": recorded()[:1]}))
    store = Store(tmp_path / "store.duckdb")
    settings = IngestSettings(redaction_key=KEY, redact=False)
    ingest_paths(store, [str(tmp_path / "in.jsonl")], settings)
    rebuild(store, RebuildSettings())
    monkeypatch.setenv(STORE_VARIABLE, str(store.path))
    app = opened("quality", part="Personal data")
    assert "with redaction off" in written(app)
    assert "does not say that nothing personal is in them" in written(app)


def test_names_of_two_generations_of_the_conventions_are_counted_by_service(gappy: Path) -> None:
    app = opened("quality", part="Versions")
    rows = table(app, "earlier only").set_index(["attribute", "service"])
    method = rows.loc[("http.request.method", "shop")]
    assert (method["names"], method["earlier only"]) == ("◐ both", "50.0 %")
    assert method["of spans with it (n)"] == 2 * (HOURS - 1)
    scopes = table(app, "scope")
    assert set(scopes["SDK"]) == {"opentelemetry 1.43.0"}
    assert list(table(app, "reader")["spans"]) == [272]
    assert "schema_url of resources and scopes is not kept" in written(app)


@pytest.mark.parametrize("part", ["Coverage", "Versions"])
def test_hostile_names_of_services_and_scopes_stay_text(gappy: Path, part: str) -> None:
    app = opened("quality", part=part)
    assert "<img" in everything(app), "they are shown"
    assert all(HOSTILE not in one.value for one in shown(app, "html"))
    assert all("](javascript" not in one.value for one in (*app.markdown, *app.caption))


def test_refused_records_and_clocks_have_a_tab(served_store: Path) -> None:
    app = opened("quality", part="Clocks and refused")
    assert list(table(app, "reason")["records"]) == [1]
    assert "nothing can be said of clocks" in written(app)


def test_the_page_tells_all_doubts_in_full_and_no_line_leads_to_itself(served_store: Path) -> None:
    app = opened("quality")
    assert "4 of 24 flows (16.7 %) are not whole" in written(app)
    assert not [label for label in links(app) if "may be off" in label]


def test_a_wide_range_is_covered_without_a_press(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.quality_parts.read.FLOWS_MAX", 5)
    app = opened("quality", part="Coverage", **{"from": "all"})
    assert not [one for one in app.button if one.key == "wide-all"]
    assert set(table(app, "longest silence")["service"]) == {"checkout", "payment"}


STEPS = some.lists(some.tuples(some.sampled_from("ab"), some.integers(0, 99), some.integers(1, 9)))


@given(heard=STEPS, called=STEPS)
def test_a_drawing_of_fewer_columns_holds_the_same_records(heard: Any, called: Any) -> None:
    coverage = coverage_of(heard, called, 0, 99, 1)
    folded = coverage.folded()
    assert folded.steps <= BUCKET_COUNT_MAX
    assert [one.total for one in folded.heard] == [one.total for one in coverage.heard]
    assert sum(one.total for one in coverage.heard) == sum(records for _, _, records in heard)


@given(heard=STEPS)
def test_the_longest_silence_is_silent_and_no_longer_one_is(heard: Any) -> None:
    for one in coverage_of(heard, [], 0, 99, 1).heard:
        begin, end = one.silence
        assert not any(one.records[begin:end])
        marks = "".join("x" if records else "-" for records in one.records)
        assert "-" * (end - begin + 1) not in marks


@given(some.integers(0, 20 * 366 * 24 * HOUR_NS))
def test_steps_are_hours_unless_the_range_has_too_few_or_too_many(span_ns: int) -> None:
    width = step_ns(0, span_ns)
    assert span_ns // width <= STEPS_MAX
    if 60 * HOUR_NS <= span_ns <= STEPS_MAX * HOUR_NS:
        assert width == HOUR_NS


def test_a_column_of_a_drawing_keeps_the_calls_of_its_silent_part() -> None:
    coverage = coverage_of([("a", 0, 5)], [("a", 0, 7), ("a", 1, 3), ("a", 119, 2)], 0, 119, 1)
    (drawn,) = coverage.folded().heard
    assert (drawn.records[0], drawn.called[0], drawn.called[-1]) == (5, 3, 2)


def test_calls_make_a_row_of_a_name_that_is_never_heard() -> None:
    coverage: Coverage = coverage_of([("a", 1, 5)], [("b", 1, 2), ("a", 0, 3)], 0, 2, 1)
    assert [(one.name, one.total, one.unanswered) for one in coverage.heard] == [
        ("a", 5, 3), ("b", 0, 2),
    ]  # fmt: skip
    assert coverage.quiet_steps == 2
