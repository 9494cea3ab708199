"""A report says what the data says, the same way every time, and nothing recorded acts in it."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from retrospan.report.build import build
from retrospan.report.check import blanks, incident_id_of, left_out_of, verify
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Blank, Document, Statement, Table
from retrospan.report.render import to_html, to_markdown
from retrospan.report.what_ifs import names_of, without
from store.errors import NotFoundError
from store.model import Decision
from tests.retrospan import world

HOSTILE = [
    "<script>alert(1)</script>",
    "![x](https://evil.example/p.png) [y](javascript:alert(1))",
    "`` ` ``` |cell| \n# heading\n- item",
    "\x1b]0;owned\x07\u202egnp.exe",
    "https://evil.example/ www.evil.example @team #1",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} {% raw %} {0} {name}",
]


def facts() -> IncidentFacts:
    return IncidentFacts(
        incident=world.INCIDENT,
        flows=world.FLOW_LIST,
        sagas=world.SAGA_LIST,
        findings=[world.finding()],
        decisions=world.DECISION_LIST,
        controls=[world.replay(index) for index in world.BAD],
        what_ifs=[world.replay(index, "timeout 30s") for index in world.BAD],
        rejects={"not JSON": 2},
    )


def section_text(document: Document, key: str) -> str:
    (section,) = (section for section in document.sections if section.key == key)
    return " ".join(block.text for block in section.blocks if isinstance(block, Statement))


def test_the_summary_counts_affected_flows_with_their_n() -> None:
    said = section_text(build(facts()), "summary")
    assert "6 of 6 (100.0 %) sagas broke a rule (in the rest of the data 0 of 34" in said
    assert "6 of 6 (100.0 %) flows were affected" in said
    assert "6 effects of 6 flows were never undone and need a person: 75.00 EUR." in said
    assert "5 of 6 (83.3 %) flows came out as recorded" in said
    assert "5 of 6 (83.3 %) flows with a saga violation can be judged, 5 of these make" in said


@pytest.mark.parametrize("name", ["timeout 30s", *HOSTILE])
@pytest.mark.parametrize("html", [False, True])
def test_a_what_if_that_is_left_out_is_named_and_comes_back_from_the_report(
    name: str, html: bool
) -> None:
    whole = facts()
    two = replace(
        whole, what_ifs=[*whole.what_ifs, *(world.replay(at, name + " b") for at in world.BAD)]
    )
    told = without(two, [name + " b"])
    text = (to_html if html else to_markdown)(build(told))
    assert "Of 2 what-ifs run over this window, this report leaves out 1 by choice" in text
    assert left_out_of(text, names_of(two)) == [name + " b"]
    again = build(without(two, left_out_of(text, names_of(two))))
    assert verify(text, again, html=html).drifted == []
    assert verify(text, build(two), html=html).drifted != []


def test_a_report_without_any_of_its_what_ifs_does_not_say_that_none_was_run() -> None:
    document = build(without(facts(), ["timeout 30s"]))
    assert "no what-if is told here" in section_text(document, "summary")
    said = section_text(document, "replay")
    assert "Of 1 what-if run over this window, this report leaves out 1" in said
    assert "No what-if was run" not in said


def test_a_what_if_that_was_not_run_cannot_be_left_out() -> None:
    with pytest.raises(NotFoundError, match="there are: 'timeout 30s'"):
        without(facts(), ["timeout 31s"])


def test_every_sentence_and_table_has_an_evidence_entry_with_a_digest() -> None:
    document = build(facts())
    known = {entry.evidence_id: entry for entry in document.evidence}
    assert document.statements
    for statement in document.statements:
        assert re.fullmatch(r"[0-9a-f]{64}", known[statement.evidence_id].data_sha256)
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                assert block.evidence_id in known


def test_evidence_ids_change_with_the_data_behind_an_unchanged_sentence() -> None:
    before = build(facts())
    moved = [
        replace(flow, start_ns=flow.start_ns + 1) if flow.flow_id == "flow-000" else flow
        for flow in world.FLOW_LIST
    ]
    after = build(replace(facts(), flows=moved))
    assert before.statements[0].text == after.statements[0].text
    assert before.statements[0].evidence_id != after.statements[0].evidence_id


@pytest.mark.parametrize("write", [to_markdown, to_html])
def test_the_same_data_in_any_order_gives_the_same_bytes(write: object) -> None:
    assert callable(write)
    base = facts()
    shuffled = random.Random(7)

    def mixed(rows: Sequence[Any]) -> list[Any]:
        return shuffled.sample(list(rows), len(rows))

    other = replace(
        base,
        flows=mixed(base.flows),
        sagas=mixed(base.sagas),
        decisions=mixed(base.decisions),
        controls=mixed(base.controls),
        what_ifs=mixed(base.what_ifs),
    )
    assert write(build(base)) == write(build(other))


def test_no_data_is_said_and_never_counted_as_health() -> None:
    empty = build(IncidentFacts(incident=world.INCIDENT, flows=[]))
    text = to_markdown(empty)
    assert "no data (n = 0)" in text
    assert "No saga was verified in this window: no data." in text
    assert "No flow of this window has been replayed: no data." in text
    assert "100.0 %" not in text
    assert "<svg" not in to_html(empty)


def test_blanks_for_people_are_marked_so_that_they_can_be_counted() -> None:
    document = build(facts())
    blanks = [
        block
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Blank)
    ]
    assert len(blanks) >= 4
    for text in (to_markdown(document), to_html(document)):
        assert text.count("TODO(human): ") == len(blanks)


def test_what_ifs_count_only_runs_whose_control_passed_without_a_doubt() -> None:
    said = section_text(build(facts()), "replay")
    # Of six what-ifs one makes no claim; the other five count, and all of them end differently.
    assert "5 of 6 (83.3 %) replays make a claim" in said
    assert "5 of 5 (100.0 %) flows make fewer calls, 0 of 5 (0.0 %) make more" in said
    assert "5 of 5 (100.0 %) end differently" in said
    assert "Claim class C2, exact by recomputation: 5 of 5 (100.0 %)." in said


def test_decisions_below_their_threshold_are_counted_and_silent_ones_named() -> None:
    silent = Decision(decision_id="decision-020", time_ns=1, chosen="approve")
    others = [one for one in world.DECISION_LIST if one.decision_id != "decision-020"]
    said = section_text(build(replace(facts(), decisions=[*others, silent])), "decisions")
    assert "below the recorded threshold in 5 of 5 (100.0 %)" in said
    assert "1 of 6 recorded only one of them or neither" in said


def test_times_that_behaviour_does_not_show_are_said_to_be_unseen() -> None:
    said = section_text(build(facts()), "timeline")
    assert "Detection: not shown by the flows' behaviour." in said


def test_effects_that_a_compensation_left_are_not_added_to_those_never_undone() -> None:
    """Money that went back too often is money in the other direction."""
    saga = world.saga(20)
    (charge,) = saga.residual_effects
    refund = replace(charge, step="release", amount=Decimal("5.00"))
    twice = replace(saga, residual_effects=(charge, refund))
    said = section_text(build(replace(facts(), sagas=[twice, *world.SAGA_LIST[21:]])), "summary")
    assert "6 effects were never undone (75.00 EUR)" in said
    assert "1 compensation undid what did not stand (5.00 EUR)" in said


def test_amounts_without_a_currency_are_counted_and_not_summed() -> None:
    sagas = [
        replace(
            saga,
            residual_effects=[replace(one, currency=None) for one in saga.residual_effects],
        )
        for saga in world.SAGA_LIST
    ]
    said = section_text(build(replace(facts(), sagas=sagas)), "summary")
    assert "need a person: no recorded amount." in said


def test_a_report_that_still_fits_the_data_verifies_and_people_may_fill_it_in() -> None:
    document = build(facts())
    for html in (False, True):
        text = to_html(document) if html else to_markdown(document)
        filled = text.replace("TODO(human): who owns this post-mortem", "The payments group")
        found = verify(filled, document, html=html)
        assert found.drifted == []
        assert found.statements == found.recomputed > 20
        assert len(blanks(filled)) == len(blanks(text)) - 1
        assert incident_id_of(text, Path("x")) == "inc-1"


@pytest.mark.parametrize("html", [False, True])
def test_an_edited_number_a_removed_sentence_and_changed_data_are_drift(html: bool) -> None:
    document = build(facts())
    text = to_html(document) if html else to_markdown(document)
    sentence = next(line for line in text.splitlines() if "were never undone" in line)
    assert verify(text.replace("75.00 EUR", "7.00 EUR"), document, html=html).drifted
    assert len(verify(text.replace(sentence, ""), document, html=html).drifted) == 1
    assert verify(text.replace("ch_22", "ch_99"), document, html=html).drifted
    moved = build(replace(facts(), flows=world.FLOW_LIST[1:]))
    assert verify(text, moved, html=html).drifted


class _Seen(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "data")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def hostile_facts(text: str) -> IncidentFacts:
    """The incident with the text in every field a stranger may write."""
    base = facts()
    return replace(
        base,
        incident=replace(base.incident, title=text, services=(text,)),
        flows=[
            replace(
                flow,
                flow_id=flow.flow_id + text,
                evidence_gaps=(text,),
                steps=[
                    replace(step, name=text, saga_step=text, service=text) for step in flow.steps
                ],
            )
            for flow in base.flows
        ],
        sagas=[
            replace(
                saga,
                flow_id=saga.flow_id + text,
                checks=[replace(check, check=text, missing=(text,)) for check in saga.checks],
                residual_effects=[
                    replace(effect, step=text, callee=text, external_ref=text, currency=text)
                    for effect in saga.residual_effects
                ],
            )
            for saga in base.sagas
        ],
        findings=[world.finding(text)],
        decisions=[replace(one, chosen=text, model_name=text) for one in base.decisions],
        controls=[
            replace(one, flow_id=one.flow_id + text, flags=(text,), reason=text)
            for one in base.controls
        ],
        what_ifs=[replace(one, flow_id=one.flow_id + text, scenario=text) for one in base.what_ifs],
        rejects={text: 3},
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_recorded_acts_in_the_html(text: str) -> None:
    page = to_html(build(hostile_facts(text)))
    seen = _Seen()
    seen.feed(page)
    assert seen.tags.isdisjoint({"script", "img", "iframe", "link", "object", "base", "form"})
    assert [address for address in seen.addresses if not address.startswith("#")] == []
    assert seen.handlers == []
    assert "\x1b" not in page and "\u202e" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_recorded_acts_in_the_markdown(text: str) -> None:
    """Outside code spans no recorded character is left. It does not prove how viewers parse."""
    page = to_markdown(build(hostile_facts(text)))
    clean = to_markdown(build(facts()))
    assert "\x1b" not in page and "\u202e" not in page
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert len(headings) == len([line for line in clean.splitlines() if line.startswith("#")])
    outside = "\n".join(_without_code(line) for line in page.splitlines())
    for word in ("script", "evil", "onerror", "7 * 7", "heading", "@team", "owned"):
        assert word not in outside


def _without_code(line: str) -> str:
    """The line without its code spans, by CommonMark's rule: runs of equal length pair up."""
    kept, rest = "", line
    while match := re.search(r"`+", rest):
        close = re.search(rf"(?<!`){match.group()}(?!`)", rest[match.end() :])
        if close is None:
            return kept + rest
        kept += rest[: match.start()]
        rest = rest[match.end() + close.end() :]
    return kept + rest


def test_the_html_asks_nothing_of_any_network() -> None:
    page = to_html(build(facts()))
    addresses = set(re.findall(r"https?://[^\"'\s<]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page
