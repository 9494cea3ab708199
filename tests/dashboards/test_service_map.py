"""The service map: its drawing, its numbers, its ways to the flows."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import data, flow_questions
from dashboards.components.service_map import drawing
from dashboards.service_graph import NODE_COUNT_MAX, Call, graph_of

VIEWS = Path(data.__file__).parent / "views"


def call(caller: str, callee: str, attempts: int = 10, errors: int = 0) -> Call:
    return {
        "caller": caller, "callee": callee, "attempts": attempts, "errors": errors, "timeouts": 0,
    }  # fmt: skip


CALLS = [
    call("web", "shop"), call("shop", "bank", 30, 3), call("shop", "stock"), call("bank", "ledger"),
]  # fmt: skip


def test_a_service_stands_right_of_all_that_call_it() -> None:
    layers = {node.name: node.layer for node in graph_of(CALLS).nodes}
    assert layers == {"web": 0, "shop": 1, "bank": 2, "stock": 2, "ledger": 3}


def test_the_drawing_does_not_depend_on_the_order_of_the_rows() -> None:
    drawings = {tuple(graph_of(rows).nodes) for rows in itertools.permutations(CALLS)}
    assert len(drawings) == 1


def test_services_that_call_each_other_or_themselves_are_drawn() -> None:
    rows = [call("a", "b"), call("b", "c"), call("c", "a"), call("d", "d")]
    graph = graph_of(rows)
    assert len(graph.calls) == 4
    assert [node.name for node in sorted(graph.nodes, key=lambda node: node.name)] == list("abcd")


def test_a_node_counts_the_tries_it_received() -> None:
    bank = next(node for node in graph_of(CALLS).nodes if node.name == "bank")
    assert (bank.tries, bank.failed) == (30, 3)


def test_of_too_many_services_the_busiest_are_drawn_and_the_rest_counted() -> None:
    rows = [call("hub", f"s{at:03}", attempts=at + 1) for at in range(NODE_COUNT_MAX + 20)]
    graph = graph_of(rows)
    assert len(graph.nodes) == NODE_COUNT_MAX
    assert graph.left_out == 21
    assert "s000" not in {node.name for node in graph.nodes}


def full(caller: str, callee: str, attempts: int = 10, errors: int = 0, calls: int = 10) -> Call:
    return {**call(caller, callee, attempts, errors), "calls": calls, "ended": attempts,
            "p95_ns": 33_000_000}  # fmt: skip


def test_a_line_tells_how_many_tries_what_share_failed_and_the_p95() -> None:
    rows = [full("web", "shop"), full("shop", "bank", 40, 10), full("shop", "stock", 12)]
    edges = drawing(graph_of(rows), ())["edges"]
    assert [edge["label"] for edge in edges] == [
        ["0 % of 10", "p95 33 ms"], ["✖ 25.0 % of 40", "p95 33 ms"], ["↻ 0 % of 12", "p95 33 ms"],
    ]  # fmt: skip
    assert [edge["tone"] for edge in edges] == ["fine", "bad", "retried"]
    assert edges[1]["told"] == (
        "shop → bank: 40 tries, 10 failed (25.0 %), 30 retries, p95 33 ms (n = 40)"
    )


def test_numbers_of_what_failed_most_are_placed_first() -> None:
    rows = [full("web", "shop", 90), full("shop", "bank", 40, 10), full("shop", "stock", 12)]
    assert drawing(graph_of(rows), ())["order"] == [1, 0, 2]


def test_what_the_address_names_is_what_the_drawing_brings_out() -> None:
    graph = graph_of([full("web", "shop"), full("shop", "bank")])
    names = [node.name for node in graph.nodes]
    assert drawing(graph, ["bank"])["chosen"] == {"node": names.index("bank"), "edge": -1}
    assert drawing(graph, ["shop", "bank"])["chosen"] == {"node": -1, "edge": 1}
    assert drawing(graph, ["nobody"])["chosen"] == {"node": -1, "edge": -1}


def test_a_service_that_nobody_calls_claims_no_share_of_failures() -> None:
    node = drawing(graph_of([full("web", "shop")]), ())["nodes"][0]
    assert (node["counts"], node["tone"]) == ("not called here", "none")


def test_no_calls_make_an_empty_drawing() -> None:
    assert graph_of([]).nodes == []


@pytest.fixture(autouse=True)
def no_kept_answers() -> Iterator[None]:
    data._overview.clear()
    flow_questions._asked.clear()
    yield


def opened(view: str, **params: str) -> AppTest:
    app = AppTest.from_file(str(VIEWS.parent / "app.py"), default_timeout=30).run()
    for key, value in params.items():
        app.query_params[key] = value
    app.switch_page(str(VIEWS / f"{view}.py")).run()
    assert not app.exception
    return app


def written(app: AppTest) -> str:
    kinds = ("html", "text", "code", "caption", "markdown", "subheader", "warning")
    shown: list[Any] = [one for kind in kinds for one in app.get(kind)]
    return "\n".join(str(one.value) for one in shown)


def test_the_map_opens_at_the_call_that_failed_most_with_its_numbers(served_store: Path) -> None:
    text = written(opened("service_map"))
    assert "chosen for you" in text
    assert "checkout → payment" in text
    # 24 reservations, 24 charges of which 4 have two failed tries, 4 undo steps.
    assert "8 of 56 (14.3 %)" in text
    assert "56, 4 of them retries" in text


def test_the_table_says_what_the_drawing_says(served_store: Path) -> None:
    row = opened("service_map").dataframe[0].value.iloc[0]
    assert (row["caller"], row["callee"]) == ("checkout", "payment")
    assert (row["calls"], row["tries"], row["retries"], row["failed tries"]) == (52, 56, 4, 8)


def test_a_call_leads_to_its_flows_and_to_those_where_it_failed(served_store: Path) -> None:
    target = {"caller": "checkout", "callee": "payment"}
    assert "24 of 24 flows" in written(opened("flows", **target))
    assert "4 of 24 flows" in written(opened("flows", **target, how="failed"))
    assert "4 of 24 flows" in written(opened("flows", **target, how="retried"))
    assert "None of 24 flows fits" in written(opened("flows", caller="checkout", callee="nobody"))


def test_a_service_in_the_address_shows_all_its_calls_and_no_others(served_store: Path) -> None:
    app = opened("service_map", node="payment")
    assert "1 caller" in written(app)
    assert "tries received that failed: 8 of 56 (14.3 %)" in written(app)
    assert list(app.dataframe[0].value["caller"]) == ["checkout"]


def test_an_address_that_names_no_call_says_so(served_store: Path) -> None:
    assert "makes no call" in written(opened("service_map", caller="<img src=x>", callee="b"))


def test_the_map_keeps_to_the_scope(served_store: Path) -> None:
    app = opened("service_map", **{"from": "1m"})
    assert app.dataframe[0].value.iloc[0]["flows"] == 3
    assert "No flow in this selection" in written(opened("service_map", env="nowhere"))
