"""How calls are cut: one by one, the same again, one after the other, all at once, too many."""

from pathlib import Path

import pytest

from store.conclusions import Verdict
from store.model import AttributeValue, Span
from tests.analyzer.builder import Recording
from tests.analyzer.population import flow, said

BY_ID = "SELECT * FROM items WHERE id = 7 AND name = 'n7'"
Attributes = dict[str, AttributeValue]


def query(made: Recording, start: float, text: str, duration: float = 10, **more: object) -> Span:
    """One SELECT below the root."""
    return made.add(
        "SELECT items", start, start + duration, kind="client",
        attributes={"db.system.name": "postgresql", "db.query.text": text}, **more,
    )  # fmt: skip


def get(made: Recording, start: float, end: float, url: str, answer: str | None = None) -> Span:
    """One GET below the root."""
    attributes: Attributes = {
        "http.request.method": "GET", "url.full": url, "service.peer.name": "catalog",
        "url.template": "/items/{id}", "http.response.status_code": 200,
    }  # fmt: skip
    if answer is not None:
        attributes["http.response.body.content"] = answer
    return made.add("GET /items/{id}", start, end, kind="client", attributes=attributes)


class TestNPlusOne:
    """Many like calls, one by one."""

    def test_one_query_per_row_is_found_whatever_the_literal(self, tmp_path: Path) -> None:
        made = flow(0)
        for row in range(8):
            query(made, 10 + row * 12, BY_ID.replace("7", str(row)))
        (finding,) = said(tmp_path, "n_plus_one", made.all_spans()).findings
        assert (finding.verdict, finding.facts["calls_most"]) == (Verdict.VIOLATION, 8)
        assert "id = ? AND name = ?" in finding.message

    def test_one_request_per_item_is_found(self, tmp_path: Path) -> None:
        made = flow(0)
        for item in range(8):
            get(made, 10 + item * 12, 20 + item * 12, f"https://catalog/items/{item}")
        (finding,) = said(tmp_path, "n_plus_one", made.all_spans()).findings
        assert finding.facts["operation"] == "GET /items/{id}"

    @pytest.mark.parametrize("fault", ["few", "short", "parallel", "failed"])
    def test_what_is_no_n_plus_one_is_left_alone(self, tmp_path: Path, fault: str) -> None:
        made = flow(0)
        for row in range(5 if fault == "few" else 8):
            start = 10.0 if fault == "parallel" else 10 + row * 12
            query(
                made, start, BY_ID.replace("7", str(row)),
                1 if fault == "short" else 10, status="error" if fault == "failed" else "unset",
            )  # fmt: skip
        told = said(tmp_path, "n_plus_one", made.all_spans())
        assert list(told.findings) == []


class TestRedundantCalls:
    """The same question again."""

    def asked(self, folder: Path, urls: list[str], answers: list[str | None]) -> list[Verdict]:
        spans: list[Span] = []
        for number in range(3):
            made = flow(number)
            for place, (url, answer) in enumerate(zip(urls, answers, strict=True)):
                get(made, 10 + place * 20, 20 + place * 20, url, answer)
            spans += made.all_spans()
        return [it.verdict for it in said(folder, "redundant_calls", spans).findings]

    def test_the_same_address_three_times_is_suspected(self, tmp_path: Path) -> None:
        assert self.asked(tmp_path, ["https://c/items/1"] * 3, ["a"] * 3) == [Verdict.SUSPECTED]

    def test_answers_that_differ_are_somebody_waiting(self, tmp_path: Path) -> None:
        assert self.asked(tmp_path, ["https://c/items/1"] * 3, ["new", "new", "done"]) == []

    def test_different_addresses_are_different_questions(self, tmp_path: Path) -> None:
        urls = [f"https://c/items/{number}" for number in range(3)]
        assert self.asked(tmp_path, urls, [None] * 3) == []


class TestSerialCalls:
    """Long calls one after the other."""

    def waited(self, folder: Path, starts: list[float], each: float) -> list[Verdict]:
        made = flow(0, end=10_000)
        for number, start in enumerate(starts):
            get(made, start, start + each, f"https://c/items/{number}")
        return [it.verdict for it in said(folder, "serial_calls", made.all_spans()).findings]

    def test_long_calls_in_a_row_are_suspected(self, tmp_path: Path) -> None:
        assert self.waited(tmp_path, [10, 1200, 2400], 1100) == [Verdict.SUSPECTED]

    def test_side_by_side_they_are_fine(self, tmp_path: Path) -> None:
        assert self.waited(tmp_path, [10, 20, 30], 1100) == []

    def test_short_ones_are_fine(self, tmp_path: Path) -> None:
        assert self.waited(tmp_path, [10, 500, 1000], 400) == []


class TestFanOut:
    """Very many calls at once."""

    def open_at_once(self, folder: Path, count: int, apart: float) -> list[object]:
        made = flow(0)
        for number in range(count):
            get(made, 10 + number * apart, 15 + number * apart, f"https://c/items/{number}")
        told = said(folder, "fan_out", made.all_spans())
        return [it.facts["at_once_most"] for it in told.findings]

    def test_thirty_calls_at_once_are_told(self, tmp_path: Path) -> None:
        assert self.open_at_once(tmp_path, 30, 0) == [30]

    def test_thirty_calls_each_as_the_last_ends_are_not(self, tmp_path: Path) -> None:
        assert self.open_at_once(tmp_path, 30, 5) == []


class TestChattyCalls:
    """Two services that talk a lot."""

    def talked(self, folder: Path, calls: int, http: int = 200) -> list[object]:
        spans: list[Span] = []
        for flow_number in range(3):
            made = flow(flow_number)
            for number in range(calls):
                made.call(
                    "catalog", "GET /items", 10 + number * 10, 15 + number * 10, http=http,
                    extra={"retrospan.step.key": "one" if http >= 500 else str(number)},
                )  # fmt: skip
            spans += made.all_spans()
        told = said(folder, "chatty_calls", spans)
        return [it.facts["calls_most"] for it in told.findings]

    def test_twenty_calls_in_one_flow_are_told(self, tmp_path: Path) -> None:
        assert self.talked(tmp_path, 20) == [20]

    def test_five_are_not(self, tmp_path: Path) -> None:
        assert self.talked(tmp_path, 5) == []

    def test_retries_do_not_count(self, tmp_path: Path) -> None:
        assert self.talked(tmp_path, 20, http=503) == []
