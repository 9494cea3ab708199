"""A team's own redaction rules, and what redaction would find."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import own_rules
from ingest.own_rules import OwnRules, problem_of
from ingest.pipeline import IngestSettings
from ingest.redact import Redactor
from ingest.redact_check import check_file
from store.model import AttributeValue

KEY = b"a key for tests only"
TOKEN = re.compile(r"\[redacted:[0-9a-f]{12}\]\Z")
RULES = OwnRules(
    names=("acme.phone", "gen_ai.input.messages", "key"),
    patterns={"customer": r"\bCUST-[0-9]{6,12}\b", "pin": r"\d{4}"},
    exempt=("support.mail", "k8s.password"),
)


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(KEY, RULES)


@pytest.mark.parametrize(
    "name", ["acme.phone", "acmePhone", "x.acme-phone", "gen_ai.input.messages"]
)
def test_a_named_value_is_secret(redactor: Redactor, name: str) -> None:
    assert TOKEN.match(str(redactor.attributes({name: "call me"})[name]))
    assert TOKEN.match(str(redactor.attributes({name: 4930})[name]))


@pytest.mark.parametrize("name", ["retrospan.step.key", "phone", "acme.phone.kind"])
def test_other_names_are_not(redactor: Redactor, name: str) -> None:
    assert redactor.attributes({name: "call me"})[name] == "call me"


def test_a_named_field_of_a_body_is_secret(redactor: Redactor) -> None:
    assert "call me" not in redactor.text('{"acme_phone": "call me", "n": "x"}')


def test_an_exempt_value_stays_as_it_is(redactor: Redactor) -> None:
    given: dict[str, AttributeValue] = {"support.mail": "a@b.co", "k8s.password": "no secret"}
    assert redactor.attributes(given) is given
    assert redactor.attributes({"other.mail": "a@b.co"})["other.mail"] != "a@b.co"


def test_a_shape_is_found_in_any_text_and_only_once(redactor: Redactor) -> None:
    found = redactor.text("for CUST-123456, mail a@b.co, pin 1234")
    assert found.count("[redacted:") == 3
    assert redactor.text(found) == found
    assert TOKEN.match(redactor.text("1234"))


@given(st.text(alphabet="CUST-0123 4567890@.abco[]:redacted", max_size=60))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    redactor = Redactor(KEY, RULES)
    once = redactor.text(text)
    assert Redactor(KEY, RULES).text(once) == once


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (r"[", "no regular expression"),
        (r"ab", "fewer than 3"),
        (r"\d+abc", "more than 1024"),
        (r"(?:a{1,9}){1,9}bcd", "repeats itself"),
        (r"(?:ab?){1,9}bcd", "optional"),
        (r"(?:ab|cd){1,9}bcd", "a choice"),
        (r"(abc)\1", "back-reference"),
        (r"(?<=ab)cde", "look-"),
        (r"a?b?c?d?e?f?g?hij", "variable number"),
        (r"(?:[ab]{0,99})(?:[ab]{0,99})(?:[ab]{0,99})(?:[ab]{0,99})(?:[ab]{0,99})cde", "takes"),
        ("a" * 257, "257 characters"),
    ],
)
def test_a_pattern_that_could_stall_a_load_is_refused(pattern: str, problem: str) -> None:
    assert problem in problem_of(pattern)
    with pytest.raises(ValueError, match=r"patterns\.x: "):
        OwnRules(patterns={"x": pattern})


@pytest.mark.parametrize(
    "pattern",
    [
        r"\bCUST-[0-9]{6,12}\b",
        r"DE\d{20}",
        r"(?i)acme_[a-z]{8}",
        r"[\w.]{1,64}@acme",
        r"(?:ab|cd)ef",
    ],
)
def test_an_ordinary_pattern_is_taken(pattern: str) -> None:
    assert problem_of(pattern) == ""


def test_a_pattern_is_timed_on_texts_it_finds_hard(monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[str] = []

    def seconds(compiled: re.Pattern[str], text: str) -> float:
        timed.append(text)
        return 1.0 if len(text) > 1000 else 0.0

    monkeypatch.setattr(own_rules, "_seconds", seconds)
    assert "takes 1.00 s" in problem_of(r"Zz\d{1,9}Q")
    assert any(text.startswith("ZZZZ") for text in timed)
    assert max(map(len, timed)) < 2000


@pytest.mark.parametrize(
    "more", [{"names": ("",)}, {"names": "x"}, {"exempt": (3,)}, {"patterns": {"Bad Name": "abc"}}]
)
def test_rules_of_a_wrong_shape_are_refused(more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"names|exempt|patterns"):
        OwnRules(**more)  # type: ignore[arg-type]


def test_the_digest_follows_what_rules_say_not_how_they_are_listed() -> None:
    assert OwnRules().digest() == ""
    assert OwnRules(names=("a.b", "c")).digest() == OwnRules(names=("c", "a-b")).digest()
    assert OwnRules(names=("a",)).digest() != OwnRules(exempt=("a",)).digest()


def test_a_check_counts_by_rule_and_place_and_never_shows_a_secret(tmp_path: Path) -> None:
    def pair(key: str, value: str) -> dict[str, object]:
        return {"key": key, "value": {"stringValue": value}}

    spans = [
        {
            "traceId": f"{number:032x}",
            "spanId": f"{number:016x}",
            "name": "GET /users/jane@example.com",
            "startTimeUnixNano": "1",
            "attributes": [
                pair("http.request.header.authorization", "Bearer abc123def456"),
                pair("jane@example.com", "x"),
                pair("note", "CUST-123456"),
            ],
            "events": [{"name": "e", "timeUnixNano": "1", "attributes": [pair("pwd", "hunter2!")]}],
        }
        for number in range(1, 13)
    ]
    resource = {"attributes": [pair("db.password", "swordfish")]}
    path = tmp_path / "in.json"
    path.write_text(
        json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})
        + "\noops password=hunter2"
    )
    settings = IngestSettings(redaction_key=KEY, own_rules=RULES)
    name, check = check_file(path, settings)
    found = check.to_document()
    written = json.dumps(found)
    for secret in ("abc123", "jane@", "123456", "hunter2", "swordfish", "[redacted:"):
        assert secret not in written
    entries = {(e["rule"], e["place"]): e for e in found["findings"]}  # type: ignore[union-attr,index,call-overload]
    assert name == "otlp_json"
    assert {key: entry["count"] for key, entry in entries.items()} == {  # type: ignore[index,call-overload]
        ("mail", "span.name"): 12,
        ("name", "span.attributes[http.request.header.authorization]"): 12,
        ("mail", "span.attributes name"): 12,
        ("customer", "span.attributes[note]"): 12,
        ("name", "event.attributes[pwd]"): 12,
        ("name", "resource[db.password]"): 1,
        ("name", "refused.excerpt"): 1,
    }
    assert len(entries["mail", "span.name"]["records"]) == 10  # type: ignore[index,call-overload,arg-type]
    assert found["secrets"] == 62
