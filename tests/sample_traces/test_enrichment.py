"""The enrichment recordings keep their promises."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.sample_traces.recorded import (
    ENRICHMENTS,
    SAMPLES,
    Span,
    expected,
    finding,
    flow_ids,
    lines,
    spans,
)

DRIFT = "enrichment-drift"
ATTEMPT = "messaging.leasing_broker.message.delivery_attempt"
PRODUCER, CONSUMER = 4, 5


def company(span: Span) -> str:
    """The company a message is about."""
    return str(span["attributes"]["messaging.message.conversation_id"])


@pytest.mark.parametrize("sample", ENRICHMENTS)
def test_every_company_has_one_trace_that_names_it(sample: str) -> None:
    """The other traces of its flow are bound by links and message ids."""
    ids = list(flow_ids(sample).values())
    assert len(ids) == len(set(ids)) == expected(sample)["flows"]
    for entry in expected(sample)["findings"]:
        assert set(entry["flows"]) <= set(ids), entry["finder"]


@pytest.mark.parametrize("sample", ENRICHMENTS)
def test_every_message_is_linked_to_the_span_that_sent_it(sample: str) -> None:
    """Dead letters too: the broker moved them, nobody sent them again."""
    sent = {
        (span["traceId"], span["spanId"]): span["attributes"]["messaging.message.id"]
        for span in spans(sample)
        if span["kind"] == PRODUCER
    }
    processed = [span for span in spans(sample) if span["kind"] == CONSUMER]
    assert len(processed) >= expected(sample)["flows"] * 4
    for span in processed:
        (link,) = span["links"]
        assert "parentSpanId" not in span
        message_id = span["attributes"]["messaging.message.id"]
        assert sent[(link["traceId"], link["spanId"])] == message_id


@pytest.mark.parametrize("sample", ENRICHMENTS)
def test_spans_show_the_deliveries_the_broker_counted(sample: str) -> None:
    """The truth comes from the broker's books; here the consumers' spans must agree."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    most: dict[str, int] = defaultdict(int)
    for span in spans(sample):
        if span["kind"] == CONSUMER:
            named = span["attributes"]
            topic = named["messaging.destination.name"]
            seen[topic][named["messaging.message.id"]] += 1
            most[topic] = max(most[topic], int(named[ATTEMPT]))
    for topic in expected(sample)["topics"]:
        counts = seen[topic["topic"]]
        assert sum(counts.values()) == topic["deliveries"], topic["topic"]
        assert sum(count > 1 for count in counts.values()) == topic["delivered_again"]
        assert most[topic["topic"]] == topic["deliveries_most"]


def test_spans_show_the_duplicate_records_the_books_show() -> None:
    """The truth comes from the store's books; here its spans must agree."""
    company_of = {span["traceId"]: company(span) for span in spans(DRIFT) if span["kind"] == 5}
    made: dict[str, set[str]] = defaultdict(set)
    for span in spans(DRIFT):
        if span["service"] == "profile-store":
            reference = span["attributes"].get("retrospan.saga.external_ref")
            made[company_of[span["traceId"]]] |= {reference} - {None}
    seen = {name for name, references in made.items() if len(references) > 1}
    assert seen == finding(DRIFT, "detector.duplicate_effect")


def test_equal_texts_got_unequal_answers_only_at_a_temperature() -> None:
    """The truth comes from the model's book; here the decision log must agree."""
    answers: dict[tuple[str, float], set[str]] = defaultdict(set)
    for decision in lines(DRIFT, "decisions.jsonl.gz"):
        text = decision["input"]["text"]
        temperature = decision["model"]["parameters"]["temperature"]
        answers[(text, temperature)].add(decision["chosen"])
    seen = {text: chosen for (text, _), chosen in answers.items() if len(chosen) > 1}
    told = {it["text"]: set(it["answers"]) for it in expected(DRIFT)["disagreements"]}
    assert seen == told
    assert {it["temperature_percent"] for it in expected(DRIFT)["disagreements"]} == {90}
    assert len(told) >= 10


@pytest.mark.parametrize(("version", "drifted"), [("2025-04", True), ("2026-11", False)])
def test_answers_fit_the_published_shape_of_their_time(version: str, drifted: bool) -> None:
    """Those that do not fit the old file are the ones the register's books say, and vice versa."""
    file = SAMPLES / DRIFT / f"register-{version}.openapi.yaml"
    lookups = yaml.safe_load(file.read_text(encoding="utf-8"))["paths"]["/lookups"]["post"]
    schema = lookups["responses"]["200"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(schema)
    fits: dict[bool, set[str]] = {True: set(), False: set()}
    for span in spans(DRIFT):
        named = span["attributes"]
        if named.get("url.template") == "/lookups" and "http.response.body.content" in named:
            answer = json.loads(named["http.response.body.content"])
            if "error" not in answer:
                asked = json.loads(named["http.request.body.content"])["company_id"]
                fits[validator.is_valid(answer)].add(asked)
    assert fits[not drifted] == finding(DRIFT, "contracts.shape_drift")
    assert fits[drifted] and not fits[True] & fits[False]


def test_drift_breaks_every_promise_often_enough() -> None:
    """Counts only; which flows they are is the truth file's business."""
    assert len(finding(DRIFT, "detector.duplicate_effect")) >= 12
    assert len(finding(DRIFT, "messaging.dead_letter")) >= 5
    assert len(finding(DRIFT, "messaging.lag")) >= 5
    assert len(finding(DRIFT, "contracts.shape_drift")) >= 100
    lists = expected(DRIFT)["lists"]
    assert len(lists["fields_missing"]) >= 30 and len(lists["fields_wrong"]) >= 30
    assert len(lists["delivered_again"]) >= 20 and len(lists["extracted_differently"]) >= 1


def test_only_the_old_writer_writes_twice() -> None:
    """1.5.0 meets redeliveries, too."""
    writers: dict[str, set[str]] = defaultdict(set)
    for span in spans(DRIFT):
        if span["service"] == "profile-writer" and span["kind"] == CONSUMER:
            writers[company(span)].add(span["version"])
    for name in finding(DRIFT, "detector.duplicate_effect"):
        assert "1.4.0" in writers[name]
    assert {it["flow"] for it in expected(DRIFT)["residuals"]} == finding(
        DRIFT, "detector.duplicate_effect"
    )


def test_healthy_enrichment_is_healthy() -> None:
    """Expects messages that came again, to no harm."""
    truth = expected("enrichment-healthy")
    assert [entry["finder"] for entry in truth["findings"] if entry["count"]] == []
    assert truth["outcomes"] == {"succeeded": truth["flows"]}
    assert len(truth["lists"]["delivered_again"]) >= 5
    assert "residuals" not in truth and "disagreements" not in truth
