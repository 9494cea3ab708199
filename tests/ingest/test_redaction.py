"""Secrets never reach the store; everything else does, untouched."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.redact import Redactor, rules_digest
from store.errors import UsageError
from store.model import AttributeValue, Decision, LogRecord, Rejected, Span, SpanEvent, SpanLink

KEY = b"a key for tests only"
TOKEN = re.compile(r"\[redacted:[0-9a-f]{12}\]")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
CARD = "4111111111111111"
BLOCK = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"

# text, what must not be left of it, what must be left of it
TEXTS = [
    ("Bearer abc123def456ghi", "abc123def456ghi", "Bearer "),
    ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNz", "Authorization: Basic "),
    (f"jwt is {JWT} today", JWT, " today"),
    ("uses AKIAIOSFODNN7EXAMPLE now", "AKIAIOSFODNN7EXAMPLE", "uses "),
    ("ghp_" + "a1B2" * 9, "a1B2a1B2", ""),
    (f"before {BLOCK} after", "MIIEow", " after"),
    ("-----BEGIN PRIVATE KEY-----\ncut off here", "cut off", ""),
    ("mail jane.doe+x@example.co.uk please", "jane.doe", "mail "),
    ("GET /users/jane%40example.com/cart", "jane%40", "/cart"),
    ("https://joe:hunter2@db.example/x", "hunter2", "@db.example/x"),
    ("https://a.example/x?page=2&api_key=s3cr3t&y=1", "s3cr3t", "?page=2&api_key="),
    ("/cb?code=4f9a&state=7", "4f9a", "&state=7"),
    ("https://s3.example/o?X-Amz-Signature=deadbeef01", "deadbeef01", "X-Amz-Signature="),
    ("access_token=abcdef; path=/", "abcdef", "path=/"),
    ("login failed, password: hunter2", "hunter2", "login failed"),
    (f"paid with card {CARD}", CARD, "paid with card "),
    ("paid 4111 1111 1111 1111 ok", "1111 1111", "paid "),
    ("amex 3782-822463-10005", "822463", "amex "),
    ('{"password":"hun\\"ter2","n":1}', "ter2", '"n":1}'),
    (json.dumps({"body": json.dumps({"clientSecret": "s3cr3t", "n": 1})}), "s3cr3t", '\\"n\\": 1'),
    ("{'api_key': 'xyz', 'n': 2}", "xyz", "'n': 2"),
    ('{"cvv": 123, "amount": 5}', "123", '"amount": 5'),
    (f'{{"card_number": "{CARD}"}}', CARD, '"card_number": "'),
    ('{"key":"x-api-key","value":{"stringValue":"abcdef"}}', "abcdef", '"x-api-key"'),
    ('{"name": "Cookie", "value": "sid=1"}', "sid=1", '"Cookie"'),
]
HARMLESS = [
    "1544712660000000008",  # passes Luhn
    CARD,  # bare digits nobody calls a card
    "order 4111111111111111 shipped",
    f"trace {'4111111111111111' * 2}",
    "0af7651916cd43dd8448eb211c80319c",
    "input_tokens=55 max_tokens: 4096 token_count=7",
    '{"usage": {"input_tokens": 12, "token_type": "x"}}',
    "left-pad@1.3.0 com.example.Foo@1a2b3c git@host",
    "basic authentication failed for bearer of news",
    "token expired: try again",
    "the author's keyboard, key=5",
    "idempotency_key=order-17",
    "POST /v1/payments/{id}",
    "SELECT * FROM cards WHERE id = ?",
    "2026-11-22T10:11:12.123456789Z",
    "a" * 5000,
]
SECRET_NAMES = [
    "authorization",
    "http.request.header.authorization",
    "http.request.header.x-api-key",
    "Set-Cookie",
    "http.response.header.set_cookie",
    "cookie",
    "db.password",
    "userPassword",
    "client_secret",
    "AWS_SECRET_ACCESS_KEY",
    "x-auth-token",
    "accessToken",
    "X-CSRF-Token",
    "apiKey",
    "card.cvv",
]
PLAIN_NAMES = [
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.request.max_tokens",
    "llm.token_count.prompt",
    "retrospan.idempotency_key",
    "retrospan.step.key",
    "retrospan.flow.id",
    "messaging.kafka.message.key",
    "author",
    "secretary",
    "session.id",
    "k8s.secret.name",
]


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(KEY)


@pytest.mark.parametrize(("text", "secret", "rest"), TEXTS)
def test_a_secret_in_a_text_becomes_a_token(
    redactor: Redactor, text: str, secret: str, rest: str
) -> None:
    found = redactor.text(text)
    assert secret not in found
    assert rest in found
    assert TOKEN.search(found)
    assert redactor.text(found) == found


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_text_stays_as_it_is(redactor: Redactor, text: str) -> None:
    assert redactor.text(text) is text


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_value_under_the_name_of_a_secret_becomes_a_token(redactor: Redactor, name: str) -> None:
    inner: list[AttributeValue] = [1, {name: ["x1", 17, None, True]}]
    attributes: dict[str, AttributeValue] = {name: "plain words", "b": inner}
    found = redactor.attributes(attributes)
    assert TOKEN.fullmatch(repr(found[name])[1:-1])
    nested: Any = found["b"]
    assert nested[0] == 1
    first, number, nothing, yes = nested[1][name]
    assert TOKEN.fullmatch(first)
    assert TOKEN.fullmatch(number)
    assert nothing is None
    assert yes is True


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_names_that_only_sound_like_secrets_keep_their_values(
    redactor: Redactor, name: str
) -> None:
    attributes: dict[str, AttributeValue] = {name: "some value", "n": {name: 12345}}
    assert redactor.attributes(attributes) is attributes


def test_equal_secrets_stay_equal_and_others_do_not(redactor: Redactor) -> None:
    found = redactor.attributes({"authorization": "Bearer abc123def456", "n": "x"})
    assert found == {"authorization": redactor.text("Bearer abc123def456"), "n": "x"}
    assert redactor.text("JANE@example.com") == redactor.text("jane@example.com")
    assert redactor.text("4111 1111 1111 1111") == redactor.text("card 4111111111111111")[5:]
    assert redactor.text("a@example.com") != redactor.text("b@example.com")


def test_another_key_gives_other_tokens() -> None:
    text = "jane@example.com"
    assert Redactor(KEY).text(text) != Redactor(KEY + b"2").text(text)


def test_a_key_that_is_too_short_is_refused() -> None:
    with pytest.raises(UsageError, match="shorter than 8 bytes"):
        Redactor(b"")


def test_a_card_is_known_by_its_name_even_after_it_was_seen_elsewhere(redactor: Redactor) -> None:
    assert redactor.attributes({"note": CARD})["note"] == CARD
    assert TOKEN.fullmatch(repr(redactor.attributes({"card.number": CARD})["card.number"])[1:-1])
    assert redactor.attributes({"card.number": int(CARD)}) == {"card.number": int(CARD)}


def test_no_part_of_a_span_is_left_out(redactor: Redactor) -> None:
    mail = "jane@example.com"
    span = Span(
        trace_id="1" * 32,
        span_id="2" * 16,
        parent_span_id=None,
        name=f"GET /{mail}",
        kind="server",
        service=mail,
        start_ns=1,
        end_ns=2,
        status_message=f"no {mail}",
        trace_state=f"x={mail}",
        attributes={"a": [{"b": {mail: mail}}], "raw": mail.encode(), "n": 1.5},
        resource={"service.name": mail},
        events=(SpanEvent(name=mail, time_ns=1, attributes={"e": mail}),),
        links=(SpanLink(trace_id="1" * 32, span_id="3" * 16, attributes={"l": mail}),),
    )
    found = redactor.span(span)
    assert "jane" not in repr(found)
    assert found.service == found.resource["service.name"]
    assert (found.trace_id, found.start_ns, found.attributes["n"]) == ("1" * 32, 1, 1.5)
    assert redactor.span(found) is found


def test_no_part_of_a_log_record_is_left_out(redactor: Redactor) -> None:
    mail = "jane@example.com"
    log = LogRecord(
        time_ns=1,
        observed_ns=1,
        trace_id=None,
        span_id=None,
        severity_number=0,
        severity_text=mail,
        event_name=mail,
        body={"text": [mail], "password": "x1"},
        service=mail,
        attributes={"a": mail},
        resource={"service.name": mail},
    )
    found = redactor.log(log)
    assert "jane" not in repr(found)
    assert "x1" not in repr(found)


def test_a_decision_and_its_record_stay_equal(redactor: Redactor) -> None:
    record: dict[str, Any] = {
        "schema": "retrospan.decision/1",
        "decision_id": "for jane@example.com",
        "time": "2026-11-22T10:00:00Z",
        "trace_id": "1" * 32,
        "chosen": "mail jane@example.com",
        "input": {"token": "abc", "card": CARD, "score": 0.5, "amount": int(CARD)},
        "input_sha256": "4111111111111111" * 4,
        "usage": {"input_tokens": 5},
    }
    decision = Decision(
        decision_id=record["decision_id"], time_ns=1, chosen=record["chosen"], record=record
    )
    found = redactor.decision(decision)
    assert "jane" not in repr(found)
    assert found.record["decision_id"] == found.decision_id
    assert found.record["chosen"] == found.chosen
    kept = ("schema", "time", "trace_id", "input_sha256", "usage")
    assert {name: found.record[name] for name in kept} == {name: record[name] for name in kept}
    inner: Any = found.record["input"]
    assert TOKEN.fullmatch(inner["token"])
    assert TOKEN.fullmatch(inner["card"])
    assert (inner["score"], inner["amount"]) == (0.5, int(CARD))


def test_what_is_quoted_of_a_refused_record_is_redacted(redactor: Redactor) -> None:
    excerpt = '{"attributes":[{"key":"password","value":{"stringValue":"hunter2'
    found = redactor.rejected(
        Rejected(record="line 1", reason="bad 'a@b.example'", excerpt=excerpt)
    )
    assert "hunter2" not in found.excerpt
    assert "a@b" not in found.reason


def test_the_digest_of_the_rules_is_a_fixed_value() -> None:
    assert re.fullmatch("[0-9a-f]{64}", rules_digest())
    assert rules_digest() == rules_digest()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    redactor = Redactor(KEY)
    once = redactor.text(text)
    assert redactor.text(once) == once


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([text for text, _, _ in TEXTS] + [" ", "\n", '"', "\\", "x=", "; "])),
)
def test_secrets_side_by_side_are_all_found(texts: list[str]) -> None:
    """Joined by a space, so that none is made part of another word."""
    found = Redactor(KEY).text(" ".join(texts))
    for secret in ("AKIAIOSFODNN7EXAMPLE", "jane.doe+x@", "MIIEow", "1111 1111", JWT):
        assert secret not in found


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_a_64_bit_number_is_never_touched(number: int) -> None:
    attributes: dict[str, AttributeValue] = {"time": number, "text": str(number), "n": [number]}
    assert Redactor(KEY).attributes(attributes) is attributes
    assert Redactor(KEY).text(f"at {number} ns") == f"at {number} ns"


@pytest.mark.parametrize("piece", ["a", "@", "a.", "%40a", "1 ", "eyJa.", '"a":', "key=", "\\"])
def test_long_texts_take_no_long_time(redactor: Redactor, piece: str) -> None:
    """The runner's time limit is the check: a quadratic rule would take hours."""
    text = "password " + piece * (300_000 // len(piece))
    assert len(redactor.text(text)) > 0
