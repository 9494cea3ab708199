"""Messages: how long they wait, who gets them twice, who never gets them."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.population import PopulationSettings
from store.conclusions import Finding, Verdict
from store.model import AttributeValue, Span, SpanLink
from tests.analyzer.builder import make_span
from tests.analyzer.population import heard_later, said


def sent(number: int, at_ms: float, topic: str = "orders") -> Span:
    """A message sent in a trace of its own."""
    return make_span(
        f"publish {topic}", at_ms, at_ms + 1, number=number + 1, kind="producer",
        trace=f"{number + 1:032x}",
        attributes={"messaging.system": "kafka", "messaging.destination.name": topic},
    )  # fmt: skip


def taken(
    of: Span, place: int, at_ms: float, *, linked: bool = False, failed: bool = False,
    message: str | None = None, service: str = "enricher",
) -> Span:  # fmt: skip
    """The work on a message: below it, or in its own trace with a link."""
    attributes: dict[str, AttributeValue] = {
        "messaging.system": "kafka",
        "messaging.destination.name": str(of.attributes["messaging.destination.name"]),
        "messaging.operation.type": "process",
    }
    if message is not None:
        attributes["messaging.message.id"] = message
    number = 10_000 + place
    return make_span(
        "process orders", at_ms, at_ms + 5, number=number, kind="consumer", service=service,
        trace=f"{number:032x}" if linked else of.trace_id,
        parent=None if linked else of.span_id,
        links=[SpanLink(trace_id=of.trace_id, span_id=of.span_id)] if linked else [],
        status="error" if failed else "unset",
        attributes=attributes,
    )  # fmt: skip


@pytest.mark.parametrize("linked", [False, True])
class TestMessagingLag:
    """From sending to work."""

    def waited(self, folder: Path, lags_ms: list[float], linked: bool) -> list[Finding]:
        spans: list[Span] = []
        for number, lag in enumerate(lags_ms):
            one = sent(number, number * 2_000)
            spans += [one, taken(one, number, number * 2_000 + 1 + lag, linked=linked)]
        return list(said(folder, "messaging_lag", spans).findings)

    def test_a_short_wait_is_fine(self, tmp_path: Path, linked: bool) -> None:
        assert self.waited(tmp_path, [20.0] * 30, linked) == []

    def test_a_long_wait_is_suspected(self, tmp_path: Path, linked: bool) -> None:
        (finding,) = self.waited(tmp_path, [20.0] * 20 + [45_000.0] * 10, linked)
        assert finding.verdict is Verdict.SUSPECTED
        assert finding.facts["longest_ns"] == 45_000_000_000

    def test_a_backlog_that_passes_is_told_with_its_time(
        self, tmp_path: Path, linked: bool
    ) -> None:
        (finding,) = self.waited(tmp_path, [5.0] * 40 + [3_000.0] * 15 + [5.0] * 40, linked)
        assert finding.facts["usual_median_ns"] == 5_000_000
        assert finding.facts["late_from_ns"] is not None

    def test_a_wait_that_grows_is_told_as_such(self, tmp_path: Path, linked: bool) -> None:
        (finding,) = self.waited(tmp_path, [100.0 * number for number in range(1, 31)], linked)
        assert finding.facts["grows"] is True


class TestMessageRedelivery:
    """The same message again."""

    def told(self, folder: Path, *second: dict[str, object]) -> list[Finding]:
        one, other = sent(0, 10), sent(1, 20)
        spans = [one, other, taken(one, 0, 30, **second[0]), taken(other, 1, 40)]  # type: ignore[arg-type]
        spans += [taken(one, 2 + n, 60 + n, **more) for n, more in enumerate(second[1:])]  # type: ignore[arg-type]
        return list(said(folder, "message_redelivery", spans).findings)

    def test_one_delivery_each_is_fine(self, tmp_path: Path) -> None:
        assert self.told(tmp_path, {}) == []

    def test_two_good_deliveries_are_suspected(self, tmp_path: Path) -> None:
        (finding,) = self.told(tmp_path, {}, {"linked": True})
        assert (finding.verdict, finding.severity) == (Verdict.SUSPECTED, "warning")
        assert finding.facts["done_again"] == 1

    def test_a_repeat_after_a_failure_is_how_it_should_be(self, tmp_path: Path) -> None:
        (finding,) = self.told(tmp_path, {"failed": True}, {})
        assert (finding.verdict, finding.severity) == (Verdict.PASS, "info")

    def test_two_consumers_each_get_their_own(self, tmp_path: Path) -> None:
        assert self.told(tmp_path, {}, {"service": "auditor"}) == []

    def test_the_messages_own_id_counts_first(self, tmp_path: Path) -> None:
        assert self.told(tmp_path, {"message": "m1"}, {"message": "m2"}) == []


class TestUnconsumedMessages:
    """Messages nobody took."""

    def some(self, lost: int = 0, consumed: bool = True) -> list[Span]:
        spans: list[Span] = []
        for number in range(10):
            one = sent(number, number * 10)
            spans.append(one)
            if consumed and number >= lost:
                spans.append(taken(one, number, number * 10 + 5, linked=number % 2 == 0))
        return [*spans, *heard_later(spans)]

    def test_all_taken_is_fine(self, tmp_path: Path) -> None:
        told = said(tmp_path, "unconsumed_messages", self.some())
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.PASS)

    def test_a_message_nobody_took_is_a_violation(self, tmp_path: Path) -> None:
        (finding,) = said(tmp_path, "unconsumed_messages", self.some(lost=3)).findings
        assert (finding.verdict, finding.facts["unconsumed"]) == (Verdict.VIOLATION, 3)

    def test_under_unknown_sampling_it_is_suspected(self, tmp_path: Path) -> None:
        settings = PopulationSettings(unknown_sampling=True)
        (finding,) = said(tmp_path, "unconsumed_messages", self.some(lost=3), settings).findings
        assert finding.verdict is Verdict.SUSPECTED

    def test_at_the_end_of_the_data_they_may_still_be_taken(self, tmp_path: Path) -> None:
        spans = [span for span in self.some(lost=3) if span.name != "heartbeat"]
        assert not said(tmp_path, "unconsumed_messages", spans).findings

    def test_without_any_consumer_it_is_unknown(self, tmp_path: Path) -> None:
        told = said(tmp_path, "unconsumed_messages", self.some(consumed=False))
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.UNKNOWN)
        assert told.coverage.facts["missing"] == ["the spans of whoever consumes orders"]

    def test_dead_letters_are_told(self, tmp_path: Path) -> None:
        spans = [*self.some(), sent(50, 500, "orders.DLQ")]
        (finding,) = said(tmp_path, "unconsumed_messages", spans).findings
        assert finding.facts["fault"] == "dead letters"

    def test_dead_letters_that_a_broker_moved_are_told_once(self, tmp_path: Path) -> None:
        one = sent(0, 10)
        gone = replace(one, attributes={"messaging.destination.name": "orders.dead"})
        spans = [one, taken(gone, 1, 30, message="m"), taken(gone, 2, 60, message="m")]
        (finding,) = said(tmp_path, "unconsumed_messages", spans).findings
        assert (finding.facts["fault"], finding.facts["messages"]) == ("dead letters", 1)

    def test_a_name_that_only_sounds_like_it_is_none(self, tmp_path: Path) -> None:
        spans = [sent(50, 500, "newsletters"), sent(51, 500, "deadline-letters")]
        assert not said(tmp_path, "unconsumed_messages", spans).findings

    def test_where_nothing_ties_consumers_to_messages_it_is_unknown(self, tmp_path: Path) -> None:
        spans = [replace(span, links=(), parent_span_id=None) for span in self.some()]
        told = said(tmp_path, "unconsumed_messages", spans)
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.UNKNOWN)

    def test_a_destination_without_a_name_accuses_nobody(self, tmp_path: Path) -> None:
        spans = [
            replace(
                span,
                attributes={k: v for k, v in span.attributes.items() if "destination" not in k},
            )
            for span in self.some(lost=3)
        ]
        told = said(tmp_path, "unconsumed_messages", spans)
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.UNKNOWN)
