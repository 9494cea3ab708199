"""Cadence histories, odd values in histories of either engine."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reader import HEAD_BYTES, claimant, discover
from store.model import Span
from tests.ingest.histories import cadence, order
from tests.ingest.test_fuzz import SCALARS, check_read, mutated, places


def test_cadence_histories_are_read_with_the_same_names(read: Any) -> None:
    head = json.dumps(cadence()).encode()[:HEAD_BYTES]
    reader = claimant(head, discover())
    assert reader is not None
    assert reader.name == "cadence"
    spans = {item.name: item for item in read(cadence(), reader="cadence")}
    root, book = spans["RunWorkflow:Trip"], spans["RunActivity:book"]
    assert root.attributes["retrospan.source"] == "cadence_history"
    assert root.attributes["retrospan.flow.output"] == '"gave up"'
    assert book.attributes["retrospan.step.request"] == '["paris",2]'
    assert (book.attributes["error.type"], book.status_message) == ("Full", '"no room"')
    assert book.attributes["retrospan.call.max_attempts"] == 1


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(places(order())), new=SCALARS)
def test_one_odd_value_loses_at_most_its_own_event(path: tuple[Any, ...], new: Any) -> None:
    items = check_read("temporal", json.dumps(mutated(order(), path, new)).encode())
    assert sum(isinstance(item, Span) for item in items) >= 3


@settings(max_examples=100, deadline=None)
@given(path=st.sampled_from(places(cadence())), new=SCALARS)
def test_one_odd_value_loses_at_most_its_own_event_in_cadence(
    path: tuple[Any, ...], new: Any
) -> None:
    items = check_read("cadence", json.dumps(mutated(cadence(), path, new)).encode())
    assert sum(isinstance(item, Span) for item in items) >= 1
