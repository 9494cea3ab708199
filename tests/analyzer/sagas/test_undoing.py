"""Undoings add up by kind to what the flows add up to one by one, and survive being written."""

import random
from dataclasses import replace

from analyzer.sagas import undoing, verify
from analyzer.sagas.measures import Measuring, measure
from store.conclusions import Flow, SagaVerdict
from tests.analyzer.builder import Recording, full_coverage


def judged() -> list[tuple[Flow, SagaVerdict]]:
    recordings = []
    for number in range(4):
        flow = Recording(flow_id=f"undone-{number}", status="failed")
        reserved, charged = flow.reserve(10, 20), flow.charge(30, 40, ref="ch-1")
        flow.refund(charged, 50, 60 + number, ref="re-1")
        flow.release(reserved, 70, 80 + 2 * number)
        recordings.append(flow)
    standing = Recording(flow_id="standing", status="failed")
    standing.charge(30, 40, ref="ch-1")
    fine = Recording(flow_id="fine", status="completed")
    fine.charge(30, 40, ref="ch-1")
    recordings += [standing, fine]
    return [
        (flow, verify(flow, full_coverage(one.all_spans())))
        for one in recordings
        for flow in [one.flow()]
    ]


def test_sums_over_kinds_are_the_sums_over_flows() -> None:
    pairs = judged()
    found = [undoing.undone_of(flow, verdict) for flow, verdict in pairs]
    random.Random(5).shuffle(found)
    counts: dict[str, int] = {}
    for one in found:
        text = undoing.written(one.kind)
        counts[text] = counts.get(text, 0) + 1
    assert len(counts) < len(found), "flows that went the same way are of one kind"
    measuring = Measuring()
    for text, flows in counts.items():
        measuring.take(undoing.read(text), flows)
    for one in found:
        measuring.take_times(one.kind, one.times_ns)
    assert measuring.measures() == measure(pairs)


def test_a_kind_comes_back_as_it_was_written() -> None:
    for flow, verdict in judged():
        kind = undoing.undone_of(flow, verdict).kind
        assert undoing.read(undoing.written(kind)) == kind


def test_a_flow_without_a_role_tells_its_checks_alone() -> None:
    flow, verdict = judged()[0]
    bare = undoing.undone_of(replace(flow, steps=[]), verdict)
    assert bare.kind.checks
    assert bare.kind == undoing.Undoing(checks=bare.kind.checks)
    assert bare.times_ns == ()
    assert undoing.undone_of(flow, verdict).times_ns
