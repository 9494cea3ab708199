"""What the documents say exists, exists."""

import re
from pathlib import Path

import pytest

from retrospan.cli import nouns

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
COMMAND = re.compile(r"^\$? ?retrospan (?:--db \S+ )?([a-z]+)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
TARGET = re.compile(r"(?:`|\$ )make ([a-z]+)")
PLACE = re.compile(
    r"`((?:store|ingest|analyzer|replay|dashboards|retrospan|tests|docs)/[\w./]*[\w/])`"
)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_a_page_names_exists(page: str) -> None:
    named = set(COMMAND.findall((ROOT / page).read_text()))
    assert named <= set(nouns())


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_folder_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    wanted = [*LINK.findall(text), *(place for place in PLACE.findall(text) if "N" not in place)]
    assert [place for place in wanted if not (ROOT / place).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_a_page_names_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(TARGET.findall((ROOT / page).read_text())) <= targets


def test_every_decision_page_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text()))
    assert {path.name for path in folder.glob("[0-9]*.md")} == listed
