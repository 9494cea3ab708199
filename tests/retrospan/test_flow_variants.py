"""`flows variants`, `flows diff`, and flows found by the ids they had before."""

from pathlib import Path

import pytest

from analyzer.rebuild import RebuildSettings, rebuild
from store.lease import Store
from store.model import Batch, Span
from store.write import write_batch
from tests.analyzer.builder import Recording
from tests.analyzer.flows.test_clock_skew import calls
from tests.analyzer.flows.test_messages import choreography, trace
from tests.retrospan.conftest import Command


def payment(number: int, *, failed: bool = False) -> list[Span]:
    flow = Recording(
        flow_id=f"order-{number}",
        trace=f"{number + 16:032x}",
        status="failed" if failed else "completed",
    )
    flow.reserve(10, 20)
    if failed:
        flow.charge(30, 40, http=503)
        flow.charge(50, 60, http=503)
    else:
        flow.charge(30, 40, ref="ch-1")
    return flow.all_spans()


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three payments that went well, one that did not, and a flow of messages."""
    spans = [span for n in (1, 2, 3) for span in payment(n)]
    spans += [*payment(4, failed=True), *choreography()]
    store = Store(tmp_path / "retrospan.duckdb")
    with store.lease("test", create=True) as session:
        batch = Batch(source="t", content_sha256="c", reader="t", rules_sha256="0", spans=spans)
        write_batch(session, batch)
    rebuild(store, RebuildSettings())
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("loaded")
def test_variants_are_counted_by_name_the_most_frequent_first(command: Command) -> None:
    variants = command("flows", "variants", "--json").document["variants"]
    told = [(it["name"], it["flows"], it["flows_of_name"], it["outcomes"]) for it in variants]
    assert told == [
        ("POST /documents", 1, 1, {"succeeded": 1}),
        ("payment", 3, 4, {"succeeded": 3}),
        ("payment", 1, 4, {"partially_compensated": 1}),
    ]
    assert [it["share"] for it in variants] == [1.0, 0.75, 0.25]
    assert variants[1]["outline"] == "reserve → charge-eu"
    assert variants[2]["outline"] == "reserve → charge-eu [error]"


@pytest.mark.usefixtures("loaded")
def test_a_variant_leads_to_its_flows(command: Command) -> None:
    failing = command("flows", "variants", "--json").document["variants"][2]["variant"]
    chosen = command("flows", "list", "--where", f"variant={failing}", "--json").document["flows"]
    assert [flow["flow_id"] for flow in chosen] == ["order-4"]


@pytest.mark.usefixtures("loaded")
def test_variants_are_counted_over_the_selected_flows_alone(command: Command) -> None:
    said = command("flows", "variants", "--outcome", "partially_compensated", "--json")
    (variant,) = said.document["variants"]
    assert (variant["flows"], variant["share"]) == (1, 1.0)
    assert command("flows", "variants", "--since", "2033-01-01T00:00:00Z").err.startswith("no flow")


@pytest.mark.usefixtures("loaded")
def test_a_diff_shows_what_went_otherwise(command: Command) -> None:
    said = command("flows", "diff", "order-1", "order-4")
    assert said.code == 0
    assert "outcome: succeeded → partially_compensated" in said.out
    (row,) = [line for line in said.out.splitlines() if "charge-eu" in line]
    assert "~ changed" in row
    assert "503 ×2" in row
    document = command("flows", "diff", "order-1", "order-4", "--json").document
    assert [step["change"] for step in document["steps"]] == ["same", "changed"]


@pytest.mark.usefixtures("loaded")
def test_two_flows_of_a_variant_are_said_not_to_differ(command: Command) -> None:
    assert "nothing differs but ids and times" in command("flows", "diff", "order-1", "order-2").out


@pytest.mark.usefixtures("loaded")
def test_a_flow_is_found_by_an_earlier_id_and_by_its_messages(command: Command) -> None:
    for name in (f"trace:{trace(3)}", "message documents.stored m2"):
        said = command("flows", "show", name)
        assert (said.code, said.err) == (0, f"{name} is part of trace:{trace(1)}\n")
        assert f"flow          trace:{trace(1)}\n" in said.out
        assert "tied by       2 messages\n" in said.out
    assert command("flows", "show", "trace:nothing").code == 4


def test_clocks_that_disagree_are_told_beside_the_flow(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "retrospan.duckdb")
    with store.lease("test", create=True) as session:
        batch = Batch(
            source="t", content_sha256="c", reader="t", rules_sha256="0", spans=calls(-40)
        )
        write_batch(session, batch)
    rebuild(store, RebuildSettings())
    monkeypatch.chdir(tmp_path)
    said = command("flows", "show", f"trace:{1:032x}")
    assert "clocks        b is about 40.0 ms behind a (median of 5 calls)" in said.out
