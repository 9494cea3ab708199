"""Cards, timeline and filters over small frames."""

from collections.abc import Mapping
from decimal import Decimal

import polars as pl
import pytest

from analyzer.sagas.verify import checks
from dashboards.check_titles import titled
from dashboards.flow_filters import LIMITATIONS, FlowFilters, matching
from dashboards.incident_parts.head import sums
from dashboards.pages import PageFacts, arrange
from dashboards.serve import is_loopback, serve, server_config
from dashboards.summary import BUCKET_COUNT_MAX, Share, health, timeline
from store.conclusions import Incident
from store.errors import InvariantError, UsageError

SECOND = 1_000_000_000


def frame(*rows: Mapping[str, object]) -> pl.DataFrame:
    usual: dict[str, object] = {
        "flow_id": "f",
        "name": "payment",
        "outcome": "succeeded",
        "start_ns": 0,
        "services": ["shop"],
        "problems": [],
        "verdict": "pass",
        "effects": 0,
        "has_saga": True,
        "decisions": 0,
        "decisions_judged": 0,
        "decisions_below": 0,
        "attempt_count": 1,
        "step_count": 1,
        "complete": True,
        "replay": None,
    }
    types: dict[str, pl.DataType | type[pl.DataType]] = {
        "flow_id": pl.String,
        "name": pl.String,
        "outcome": pl.String,
        "start_ns": pl.Int64,
        "services": pl.List(pl.String()),
        "problems": pl.List(pl.String()),
        "verdict": pl.String,
        "effects": pl.Int64,
        "has_saga": pl.Boolean,
        "decisions": pl.Int64,
        "decisions_judged": pl.Int64,
        "decisions_below": pl.Int64,
        "attempt_count": pl.Int64,
        "step_count": pl.Int64,
        "complete": pl.Boolean,
        "replay": pl.String,
    }
    return pl.DataFrame([{**usual, **row} for row in rows], schema=types)


FLOWS = frame(
    {"flow_id": "good"},
    {"flow_id": "undone", "outcome": "compensated"},
    {"flow_id": "undone wrongly", "outcome": "compensated", "verdict": "violation", "effects": 2},
    {"flow_id": "running", "outcome": "in_progress", "verdict": "open"},
    {"flow_id": "dark", "outcome": "unknown", "verdict": None},
    {"flow_id": "bad", "outcome": "failed", "verdict": "suspected", "problems": ["S3"]},
)


def test_a_violated_compensation_did_not_end_well_and_the_unknown_is_in_no_share() -> None:
    numbers = health(FLOWS)
    assert numbers.ended_well == Share(part=2, whole=4, unknown=2)
    assert numbers.violations == Share(part=1, whole=5, unknown=1)
    assert (numbers.effects, numbers.flows_with_effects) == (2, 1)
    assert numbers.stuck == Share(part=3, whole=6), "effects left, running, and dark"


def test_the_link_of_a_card_shows_exactly_the_flows_it_counted() -> None:
    badly = matching(FLOWS, FlowFilters(limitation=["ended badly"]), ())
    assert badly.height == health(FLOWS).ended_well.whole - health(FLOWS).ended_well.part
    assert badly["flow_id"].to_list() == ["undone wrongly", "bad"]


@pytest.mark.parametrize("limitation", LIMITATIONS)
def test_every_limitation_can_be_asked_of_any_flows(limitation: str) -> None:
    assert matching(FLOWS, FlowFilters(limitation=[limitation]), ()).height < FLOWS.height


def test_filters_narrow_each_other_and_text_is_taken_literally() -> None:
    assert matching(FLOWS, FlowFilters(problem=["S3"], verdict=["suspected"]), ()).height == 1
    assert matching(FLOWS, FlowFilters(text="UNDONE"), ()).height == 2
    assert matching(FLOWS, FlowFilters(text=".*"), ()).is_empty()


def test_an_incident_selects_its_own_flows() -> None:
    incident = Incident(
        incident_id="i", start_ns=0, end_ns=1, declared_by="x", title="t", flow_ids=("bad",)
    )
    found = matching(FLOWS, FlowFilters(incident=["i"]), [incident])
    assert found["flow_id"].to_list() == ["bad"]


@pytest.mark.parametrize("span_s", [0, 1, 59, 3600, 86_400, 86_400 * 400])
def test_a_timeline_counts_every_flow_in_few_buckets(span_s: int) -> None:
    flows = frame(*({"start_ns": n * span_s * SECOND // 9 + 5} for n in range(10)))
    times = timeline(flows)
    assert times is not None
    assert sum(sum(numbers) for numbers in times.counts.values()) == 10
    assert len(times.starts_ns) <= BUCKET_COUNT_MAX


def test_no_flows_make_no_timeline() -> None:
    assert timeline(frame()) is None


def test_views_that_collide_fail_at_start_in_one_message() -> None:
    one = PageFacts(title="A", section="S", order=1, url_path="a")
    with pytest.raises(InvariantError, match=r"'a' twice; one default view"):
        arrange({"a": one, "b": one})


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.test", "::"])
def test_another_address_than_loopback_has_to_be_asked_for(host: str, tmp_path: object) -> None:
    assert not is_loopback(host)
    with pytest.raises(UsageError, match="insecure"):
        serve(tmp_path, host)  # type: ignore[arg-type]  # refused before the path is looked at


def test_the_server_sends_nothing_out_and_answers_only_to_local_names() -> None:
    settings = server_config("127.0.0.1", 8501)
    assert settings["browser.gatherUsageStats"] is False
    assert settings["server.address"] == "127.0.0.1"
    assert "127.0.0.1" in settings["server.allowedHosts"]


def test_every_saga_check_is_told_by_its_title() -> None:
    assert titled("S11") == "S11: the idempotency key is stable over attempts"
    assert all(":" in titled(check.id) for check in checks())
    assert titled("duplicate_effect") == "duplicate effect"


def test_sums_of_effects_say_how_many_tell_no_amount() -> None:
    told = pl.DataFrame(
        {
            "currency": ["EUR", None, "EUR"],
            "amount": [Decimal("1.5"), None, Decimal(2)],
            "effects": [1, 3, 1],
        }
    )
    assert sums(told) == "3.5 EUR, 3 without an amount"
    assert sums(told.filter(pl.col("amount").is_null())) == "no amounts recorded"
