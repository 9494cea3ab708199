"""Bodies that other flows of a kind can lend, where a scenario needs one that nobody received."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from replay.recording import operation_of
from store.conclusions import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Donor:
    """A recorded body, and of how many answers with its operation and status it is one."""

    body: str
    answers: int


Donors: TypeAlias = Mapping[tuple[str, int], Donor]


def donors_of(flows: Iterable[Flow]) -> dict[tuple[str, int], Donor]:
    """By operation and HTTP status the body of the first flow by id, so that it is always one."""
    found: dict[tuple[str, int], Donor] = {}
    for flow in sorted(flows, key=lambda it: it.flow_id):
        for step in flow.steps:
            for attempt in step.attempts:
                if attempt.http_status is None or not attempt.has_response:
                    continue
                key = (operation_of(step), attempt.http_status)
                earlier = found.get(key)
                body = json.dumps(attempt.response) if earlier is None else earlier.body
                found[key] = Donor(body=body, answers=1 if earlier is None else earlier.answers + 1)
    return found
