"""The services of the enrichment system behave as its recordings' stories say."""

from __future__ import annotations

import pytest

from sample_traces.services.enrichment import broker as broker_module
from sample_traces.services.enrichment.broker import DEAD, DELIVERIES_MAX, Broker
from sample_traces.services.enrichment.companies import description, size_class, truth
from sample_traces.services.enrichment.language_model import chosen, shares
from sample_traces.services.enrichment.profile_store import build as profile_store
from sample_traces.services.enrichment.registry_lookup import understood
from sample_traces.services.enrichment.truth import FlowTruth, disagreeing, written_twice
from sample_traces.services.faults import load_plan
from sample_traces.services.web import Json
from tests.sample_traces.surroundings import host, request

MESSAGE = {"topic": "t", "id": "m", "subject": "company-000001", "headers": {}, "body": {}}


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker whose leases end at once and who waits for nobody."""
    monkeypatch.setattr(broker_module, "LEASE_S", 0.0)
    monkeypatch.setattr(broker_module, "WAIT_S", 0.02)
    return Broker(host=host(load_plan("enrichment-drift"), "message-broker"))


def lease(broker: Broker, topic: str = "t") -> Json:
    """The next message of a topic, or nothing."""
    return broker.lease(request({"topic": topic})).body


def test_message_comes_again_until_it_dies(broker: Broker) -> None:
    """On leases that end at once; in a recording they last."""
    broker.publish(request(MESSAGE))
    assert [lease(broker)["delivery"] for _ in range(DELIVERIES_MAX)] == [1, 2, 3, 4]
    assert lease(broker) == {}
    dead = lease(broker, "t" + DEAD)
    assert (dead["id"], dead["died_in"], dead["delivery"]) == ("m", "t", 1)


def test_acknowledged_message_is_gone_and_a_late_acknowledgement_is_refused(
    broker: Broker,
) -> None:
    """The second worker's acknowledgement counts, the first one's comes too late."""
    broker.publish(request(MESSAGE))
    first, second = lease(broker), lease(broker)
    receipts = [{"topic": "t", "id": "m", "delivery": one["delivery"]} for one in (first, second)]
    assert [broker.acknowledge(request(one)).status for one in receipts] == [409, 200]
    assert lease(broker) == {}


def test_model_is_deterministic_at_temperature_zero_only() -> None:
    """Over a hundred draws of an ambiguous text."""
    text = "Offers cloud, platform, code, freight, warehouse services."
    draws = [step / 100 for step in range(100)]
    assert {chosen(text, 0.0, draw) for draw in draws} == {"software"}
    heated = [chosen(text, 0.9, draw) for draw in draws]
    assert len(set(heated)) == len(shares(text))
    assert max(set(heated), key=heated.count) == "software"
    assert sum(shares(text).values()) == pytest.approx(1.0)


def test_old_lookup_misreads_the_new_shape_and_the_new_one_reads_both() -> None:
    """The new shape has a range where the old one had a number."""
    old = {"industry_code": "62.01", "employees": 120, "description": "One. Two."}
    new = {"activity": {"code": "62.01"}, "employees": "50-249", "description": ["One", "Two."]}
    misread = understood("2.0.0", new)
    assert (misread["industry_code"], misread["employees"]) == (None, 50)
    assert misread["description"] == ["One", "Two."]
    assert understood("2.0.0", old) == understood("2.1.0", old)
    read = understood("2.1.0", new)
    assert (read["industry_code"], read["size"], read["employees"]) == ("62.01", "50-249", None)
    assert read["description"] == "One. Two."


def test_store_writes_once_for_one_key_and_twice_for_two() -> None:
    """In one process; the recordings show it over HTTP."""
    surroundings = host(load_plan("enrichment-healthy"), "profile-store")
    insert = profile_store(surroundings)["/records"]
    body = {"company_id": "firm-000007"}
    answers = [insert(request(body, key)) for key in ("a", "a", "b")]
    assert [answer.status for answer in answers] == [201, 201, 201]
    assert answers[0].body == answers[1].body != answers[2].body
    assert answers[0].effect and not answers[1].effect and answers[2].effect
    assert len(surroundings.book.page("records")) == 2


def test_companies_are_the_same_whenever_they_are_asked_for() -> None:
    """Sizes lie in their class, and descriptions are shared by many."""
    plan = load_plan("enrichment-drift")
    known = [truth(plan, index) for index in range(plan.flows)]
    assert known == [truth(load_plan("enrichment-drift"), index) for index in range(plan.flows)]
    for one in known:
        low, high = map(int, size_class(one["employees"]).split("-"))
        assert low <= one["employees"] <= high
    assert len({description(plan, index) for index in range(plan.flows)}) < plan.flows / 5


def completion(text: str, temperature: float, sector: str) -> Json:
    """One entry of the model's book."""
    return {"text": text, "temperature": temperature, "sector": sector}


def test_truth_groups_answers_by_text_and_temperature() -> None:
    """The same text at another temperature is another question."""
    one = FlowTruth(flow_id="a", completions=[completion("x", 0.9, "food")])
    two = FlowTruth(flow_id="b", completions=[completion("x", 0.0, "health")])
    assert disagreeing([one, two]) == []
    two.completions.append(completion("x", 0.9, "health"))
    assert [(text, heat) for text, heat, _ in disagreeing([one, two])] == [("x", 0.9)]


def test_truth_keeps_the_record_its_writer_was_told_of_last() -> None:
    """Late records nobody was told of are surplus."""
    records: list[Json] = [{"record_id": name, "profile": {}} for name in ("r1", "r2", "r3")]
    flow = FlowTruth(flow_id="a", records=records, written=[{"record_id": "r2"}])
    assert written_twice(flow)
    assert [entry["record_id"] for entry in flow.surplus()] == ["r1", "r3"]
    assert FlowTruth(flow_id="b").surplus() == []
