"""What people read fits the terminal, and no id in it is broken where there is room."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrospan.cli.replay.people import folded, suggest
from retrospan.edge import Edge
from retrospan.listing import Format, Listing, field, show, widths_of

WORDS = st.text("ab- ", max_size=40)
TABLES = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.lists(WORDS, min_size=n, max_size=n), min_size=1, max_size=5)
)


@given(cells=TABLES, room=st.integers(10, 120))
def test_columns_fit_the_room_and_break_words_only_for_want_of_it(
    cells: list[list[str]], room: int
) -> None:
    widths = widths_of(cells, room)
    longest = [
        max((len(word) for row in cells for word in row[at].split()), default=1)
        for at in range(len(cells[0]))
    ]
    assert sum(widths) <= room
    if sum(longest) <= room and max(longest) <= 24:
        assert all(width >= word for width, word in zip(widths, longest, strict=True))


def test_no_column_is_cut_off_at_eighty(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")  # no escape sequences
    why = "not identified: " + "two steps ended too close together " * 3
    row = {"flow": "order-000204", "verdict": "compensation_failed", "claim": "C1", "why": why}
    columns = [field(name, name) for name in row]
    listing = Listing(document={}, rows=[row], columns=columns, cells=(), empty="")
    show(listing, Format.TABLE, False)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "order-000204" in out
    assert out.split().count("together") == 3


def test_lines_are_folded_at_words_for_a_terminal_and_left_alone_for_a_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = "because   " + "gateway-eu POST /charges " * 8
    assert [*folded([line])] == [line]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    lines = [*folded([line, ""])]
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith(" " * 12 + "/charges")
    assert " ".join(lines).split() == line.split()


def test_the_next_command_can_be_pasted(capsys: pytest.CaptureFixture[str]) -> None:
    edge = Edge(db=Path("my stores/x.duckdb"), config=Path("c.toml"))
    suggest(edge, "replay", "flip", "order-1", "--operation", "gateway POST /charges")
    suggest(Edge(db=Path("retrospan.duckdb"), config=None, quiet=True), "flows", "list")
    said = capsys.readouterr()
    assert said.err == (
        "next      retrospan --db 'my stores/x.duckdb' --config c.toml replay flip order-1 "
        "--operation 'gateway POST /charges'\n"
    )
    assert not said.out
