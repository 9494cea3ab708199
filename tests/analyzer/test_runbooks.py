"""Every detector has a page that says what to do, and what a page shows can be done."""

import re
import shlex
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from analyzer.detectors import all_detectors, population_detectors
from analyzer.sagas.verify import checks
from retrospan.cli import application
from retrospan.config import Settings

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
PAGES = {path.stem: path.read_text() for path in sorted(RUNBOOKS.glob("*.md"))}
SAGAS = "saga-checks"
HEADINGS = ("## What ", "## How to confirm\n", "## What to do now\n", "## How to prevent it\n")
LINES_MAX = 60


def test_every_detector_has_its_page_and_no_page_is_without_one() -> None:
    assert PAGES.keys() - {SAGAS} == {detector.name for detector in all_detectors()}


def test_the_page_of_the_saga_checks_has_all_of_them() -> None:
    told = re.findall(r"^\| (S\d+) \|", PAGES[SAGAS], re.MULTILINE)
    assert told == [check.id for check in checks()]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_means_how_to_confirm_mitigate_and_prevent(name: str) -> None:
    page = PAGES[name]
    assert [heading for heading in HEADINGS if heading not in page] == []
    assert len(page.splitlines()) <= LINES_MAX


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_exist(name: str) -> None:
    root: Any = get_command(application())
    commands = re.findall(r"^retrospan .*$", PAGES[name], re.MULTILINE)
    commands += [text for text in re.findall(r"`(retrospan [^`]+)`", PAGES[name])]
    assert commands
    for line in commands:
        _, noun, verb, *rest = shlex.split(line)
        one = root.commands[noun].commands[verb]
        known = {option for parameter in one.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, line
        for word in rest:
            if word.startswith("detector="):
                assert word.removeprefix("detector=") in PAGES, line


@pytest.mark.parametrize("detector", population_detectors(), ids=lambda it: it.name)
def test_a_page_shows_all_that_can_be_set_with_its_default(detector: Any) -> None:
    shown = re.search(r"```toml\n(.*?)```", PAGES[detector.name], re.DOTALL)
    if not fields(detector.settings):
        assert shown is None
        return
    assert shown is not None
    settings = Settings(source=Path("page"), tables=tomllib.loads(shown[1]))
    filled = settings.fill_each("detectors", {detector.name: detector.settings})
    assert filled[detector.name] == detector.settings()
    assert set(settings.tables["detectors"][detector.name]) == {
        entry.name for entry in fields(detector.settings)
    }
