"""What the sections beyond counting say, for whom, and how it is drawn."""

import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from retrospan.audience import Audience
from retrospan.edge import Edge
from retrospan.report.build import SECTIONS, build
from retrospan.report.check import audience_of, objectives_of, verify
from retrospan.report.facts import IncidentFacts
from retrospan.report.gathering import facts_of
from retrospan.report.model import Chart, Document, Statement, Table
from retrospan.report.objectives import beside, objectives
from retrospan.report.pdf import MISSING, to_pdf
from retrospan.report.render import to_html, to_markdown
from retrospan.runbooks import SAGA_CHECKS
from store.errors import UsageError
from tests.retrospan import bundles, world
from tests.retrospan.conftest import Command
from tests.third_party import needs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> IncidentFacts:
    """Payments of which every third fails, held to an objective."""
    edge, incident_id = bundles.stored(
        tmp_path_factory.mktemp("r") / "retrospan.duckdb", bundles.batches(1)
    )
    return facts_of(edge, incident_id, objectives([bundles.SLO], edge.settings()))


def hand_made() -> IncidentFacts:
    return IncidentFacts(
        incident=world.INCIDENT,
        flows=world.FLOW_LIST,
        sagas=world.SAGA_LIST,
        findings=[world.finding()],
    )


def blocks(document: Document, key: str) -> list[object]:
    (section,) = (section for section in document.sections if section.key == key)
    return list(section.blocks)


def said(document: Document, key: str) -> str:
    return " ".join(one.text for one in blocks(document, key) if isinstance(one, Statement))


def test_the_budget_says_good_of_valid_and_how_much_was_overspent(facts: IncidentFacts) -> None:
    """Flows 0, 3, 6, 9 fail; at the end of the incident eight have ended, three of them badly."""
    told = said(build(facts), "budget")
    assert "5 of 8 were good (62.5 %, target 90.0 %); the budget was spent 3.8 times over." in told
    assert "2 of 3 (66.7 %) ended after the incident's start" in told
    assert any(isinstance(one, Chart) for one in blocks(build(facts), "budget"))


def test_without_objectives_nothing_is_said_about_a_budget() -> None:
    assert "No service level objective was given" in said(build(hand_made()), "budget")


def test_the_runbooks_of_violated_checks_and_findings_are_listed_by_how_often() -> None:
    """That each detector has its page is held by tests/analyzer/test_runbooks.py."""
    (table,) = (one for one in blocks(build(hand_made()), "playbooks") if isinstance(one, Table))
    counts = {str(row[0]): row[1] for row in table.rows}
    assert counts[world.finding().detector] == 1
    assert max(counts.values()) == len(world.BAD)
    assert SAGA_CHECKS in {row[2] for row in table.rows}
    assert (ROOT / SAGA_CHECKS).is_file()


def test_one_flow_is_drawn_with_both_ends_of_its_calls_and_its_way_back() -> None:
    document = build(hand_made())
    charts = [one for one in blocks(document, "example") if isinstance(one, Chart)]
    assert [chart.table.caption.partition(" ")[0] for chart in charts] == ["Calls", "Compensation"]
    assert "flow-020" in said(document, "example")
    rows = charts[1].table.rows
    fates = {row[1]: row[5] for row in rows if row[2] == "compensatable"}
    assert fates == {"reserve": "undone", "charge": "left standing"}
    for chart in charts:
        assert all(re.fullmatch(r"-?\d+", number) for number in coordinates(chart.svg))


def coordinates(svg: str) -> list[str]:
    return re.findall(r' (?:x|y|width|height|cx|cy)="([^"]*)"', svg)


def test_readers_get_other_sections_and_the_same_sentences(facts: IncidentFacts) -> None:
    whole = {one.evidence_id: one.text for one in build(facts).statements}
    assert len(SECTIONS[Audience.ENGINEER]) > len(SECTIONS[Audience.RISK])
    for audience in Audience:
        document = build(facts, audience)
        assert {one.evidence_id: one.text for one in document.statements}.items() <= whole.items()
        for html in (False, True):
            text = to_html(document) if html else to_markdown(document)
            assert audience_of(text, Path("x")) is audience
            assert objectives_of(text) == ["payment.yaml"]
            assert verify(text, document, html=html).drifted == []


def test_a_drawing_that_was_touched_is_drift(facts: IncidentFacts) -> None:
    document = build(facts)
    page = to_html(document)
    touched = re.sub(r'height="(\d)(\d*)" fill', r'height="9\2" fill', page, count=1)
    assert touched != page
    drifted = verify(touched, document, html=True).drifted
    assert len(drifted) == 2 and all(one.startswith("drawing ") for one in drifted)


def test_names_in_a_report_lead_to_files_beside_it_only(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.yaml").write_text("")
    (tmp_path / "in" / "a.yaml").write_text("")
    names = ["a.yaml", "../out.yaml", str(tmp_path / "out.yaml"), "gone.yaml"]
    assert beside(names, tmp_path / "in") == [tmp_path / "in" / "a.yaml"]


def test_causes_that_nobody_asked_for_are_said_to_be_unknown(facts: IncidentFacts) -> None:
    assert "no data" in said(build(hand_made()), "causes")
    assert facts.causes is not None
    told = said(build(facts), "causes")
    assert "No cause is named" in told or "confirmed by replay" in told.lower()


def test_the_pdf_is_the_same_twice_and_asks_nothing_of_any_network(facts: IncidentFacts) -> None:
    needs("weasyprint", installed=find_spec("weasyprint") is not None)
    document = build(replace(facts, causes=None), Audience.LEADER)
    made = to_pdf(document)
    assert made.startswith(b"%PDF-") and made == to_pdf(document)
    assert b"/URI" not in made


def test_without_weasyprint_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", None)
    with pytest.raises(UsageError, match=r"retrospan\[pdf\]"):
        to_pdf(build(hand_made()))
    assert "Pango" in MISSING


@pytest.mark.usefixtures("db")
def test_a_pdf_cannot_be_verified_and_says_what_can(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    verified = command("report", "verify", "a.pdf")
    assert verified.code == 2 and ".html" in verified.err
    assert command("report", "write", "inc-1", "-o", "a.docx").code == 2


def test_no_objectives_are_found_where_none_are_configured(tmp_path: Path) -> None:
    (tmp_path / "retrospan.toml").write_text("")
    edge = Edge(db=tmp_path / "x", config=tmp_path / "retrospan.toml")
    found = objectives([], edge.settings())
    assert (list(found.slos), list(found.names)) == ([], [])
