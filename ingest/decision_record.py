"""The shape of a `retrospan.decision/1` record, from which its JSON Schema is published."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Text = Annotated[str, Meta(max_length=65_536)]
Name = Annotated[str, Meta(min_length=1, max_length=4_096)]
Number = int | float
Exact = int | float | Annotated[str, Meta(pattern=r"^[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?$")]


class Model(Struct, frozen=True):
    """The model that chose."""

    name: Text | None = None
    version: Text | None = None
    provider: Text | None = None
    parameters: dict[str, Any] | None = None


class Prompt(Struct, frozen=True):
    """The prompt it was asked with."""

    id: Text | None = None
    version: Text | None = None


class Actor(Struct, frozen=True):
    """Who decided."""

    agent: Text | None = None
    service: Text | None = None


class Candidate(Struct, frozen=True):
    """An action that could have been chosen."""

    action: Text
    score: Exact | None = None


class Policy(Struct, frozen=True):
    """The gate that judged the decision; `outcome` is allow, deny, modify or escalate."""

    id: Text | None = None
    version: Text | None = None
    sha256: Text | None = None
    outcome: Text | None = None
    reason: Text | None = None


class HumanReview(Struct, frozen=True):
    """What a person said about it."""

    by: Text | None = None
    outcome: Text | None = None
    time: Text | None = None


class Action(Struct, frozen=True):
    """The step that carried the decision out."""

    step_key: Text | None = None
    request_sha256: Text | None = None


class Outcome(Struct, frozen=True):
    """How it turned out, learned later."""

    label: Text | None = None
    value: Exact | bool | None = None
    time: Text | None = None


class Usage(Struct, frozen=True):
    """What it took."""

    input_tokens: Number | None = None
    output_tokens: Number | None = None
    cost_usd: Exact | None = None


class DecisionRecord(Struct, frozen=True):
    """One choice made or proposed by a model or rule. Further fields are kept."""

    schema: Literal["retrospan.decision/1"]
    decision_id: Name
    time: Annotated[str, Meta(description="RFC 3339, up to nanoseconds", max_length=64)]
    chosen: Text
    seq: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    prev_sha256: Text | None = None
    trace_id: Text | None = None
    span_id: Text | None = None
    flow_id: Text | None = None
    actor: Actor | None = None
    model: Model | None = None
    prompt: Prompt | None = None
    input: Any = None
    input_sha256: Text | None = None
    candidates: list[Candidate] | None = None
    confidence: Exact | None = None
    threshold: Exact | None = None
    policy: Policy | None = None
    feature_flags: Any = None
    human_review: HumanReview | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    usage: Usage | None = None
    latency_ms: Number | None = None


def json_schema() -> dict[str, object]:
    """The JSON Schema that stands in `schemas/decision.schema.json`."""
    (reference,), components = msgspec.json.schema_components([DecisionRecord])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "retrospan.decision/1",
        **reference,
        "$defs": components,
    }
