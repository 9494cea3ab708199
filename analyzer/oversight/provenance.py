"""Where a decision came from and what it led to, hop by hop.

The chain is input → retrieval → model → prompt → policy → action → effect. A hop is resolved when
what it names identifies one thing: content or its hash, a version beside a name, a step that was
recorded. A hop that a decision cannot have (an action the gate stopped) does not apply.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from analyzer.oversight.flags import KIND as FLAG
from analyzer.oversight.joined import Joined
from store.conclusions import Evidence, Step, StepOutcome
from store.model import JsonValue

HOPS = ("input", "retrieval", "model", "prompt", "policy", "action", "effect")


class Link(StrEnum):
    """Whether a hop leads on."""

    RESOLVED = "resolved"
    BROKEN = "broken"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One hop: what it says, and what it lacks where it is broken."""

    name: str
    link: Link
    said: str
    lacks: str = ""
    evidence: Evidence | None = None


def provenance(it: Joined) -> list[Hop]:
    """The chain of one decision, in the order of `HOPS`."""
    record = it.decision.record
    if record.get("kind") == FLAG:
        return _of_flag(record)
    return [
        _input(record),
        _retrieval(record),
        _versioned("model", record.get("model"), "name", ("version",)),
        _versioned("prompt", record.get("prompt"), "id", ("version", "sha256")),
        _policy(it, record.get("policy")),
        _action(it),
        _effect(it),
    ]


def _of_flag(record: Mapping[str, JsonValue]) -> list[Hop]:
    """A flag is a rule: what chose is the flag itself; nothing of a model or an action applies."""
    told = record.get("feature_flags")
    flags = told if isinstance(told, dict) else {}
    said = [f"flag {name} gave {variant}" for name, variant in sorted(flags.items())]
    said += [f"{name} {record[name]}" for name in ("reason", "provider") if record.get(name)]
    rule = Hop(name="policy", link=Link.RESOLVED, said=", ".join(said))
    other = "not asked of a feature flag"
    return [
        rule if name == rule.name else Hop(name=name, link=Link.NOT_APPLICABLE, said=other)
        for name in HOPS
    ]


def depth(hops: list[Hop]) -> int:
    """How many hops that apply are resolved before the first that is not."""
    found = 0
    for hop in hops:
        if hop.link is Link.BROKEN:
            return found
        found += hop.link is Link.RESOLVED
    return found


def _input(record: Mapping[str, JsonValue]) -> Hop:
    digest = record.get("input_sha256")
    if record.get("input") is not None:
        return Hop(name="input", link=Link.RESOLVED, said="its content is recorded")
    if isinstance(digest, str) and digest:
        return Hop(name="input", link=Link.RESOLVED, said=f"sha256 {digest}")
    return Hop(name="input", link=Link.BROKEN, said="", lacks="input or input_sha256")


def _retrieval(record: Mapping[str, JsonValue]) -> Hop:
    told = record.get("retrieval")
    if not told:
        return Hop(name="retrieval", link=Link.NOT_APPLICABLE, said="none is recorded")
    entries = told if isinstance(told, list) else [told]
    fixed = [
        entry for entry in entries
        if isinstance(entry, dict) and (entry.get("id") or entry.get("sha256"))
    ]  # fmt: skip
    if len(fixed) == len(entries):
        return Hop(name="retrieval", link=Link.RESOLVED, said=f"{len(fixed)} documents by id")
    return Hop(name="retrieval", link=Link.BROKEN, said="", lacks="id or sha256 of each document")


def _versioned(name: str, told: JsonValue, key: str, versions: tuple[str, ...]) -> Hop:
    fields = told if isinstance(told, dict) else {}
    lacking = [] if fields.get(key) else [f"{name}.{key}"]
    version = next((fields[it] for it in versions if fields.get(it)), None)
    if version is None:
        lacking.append(" or ".join(f"{name}.{it}" for it in versions))
    if lacking:
        return Hop(name=name, link=Link.BROKEN, said="", lacks=", ".join(lacking))
    return Hop(name=name, link=Link.RESOLVED, said=f"{fields[key]} {version}")


def _policy(it: Joined, told: JsonValue) -> Hop:
    hop = _versioned("policy", told, "id", ("version", "sha256"))
    if hop.link is Link.RESOLVED and it.outcome:
        review = it.review.get("outcome")
        by_person = f", a person {review}" if review else ""
        return Hop(
            name="policy", link=Link.RESOLVED, said=f"{hop.said}: {it.outcome}{by_person}",
            evidence=_span(it.gate_step),
        )  # fmt: skip
    lacks = hop.lacks if hop.link is Link.BROKEN else "policy.outcome"
    return Hop(name="policy", link=Link.BROKEN, said=hop.said, lacks=lacks)


def _action(it: Joined) -> Hop:
    if it.first_action is not None:
        steps = ", ".join(step.name for step in it.steps)
        return Hop(
            name="action", link=Link.RESOLVED, said=f"{steps}; payload {it.payload.value}",
            evidence=_span(it.first_action),
        )  # fmt: skip
    if it.acted is False and not it.named:
        return Hop(name="action", link=Link.NOT_APPLICABLE, said="nothing was carried out")
    key = it.record_action.get("step_key")
    lacks = f"a step with the key {key}" if key else "action.step_key"
    return Hop(name="action", link=Link.BROKEN, said="", lacks=lacks)


def _effect(it: Joined) -> Hop:
    if it.first_action is None:
        if it.acted is False and not it.named:
            return Hop(name="effect", link=Link.NOT_APPLICABLE, said="nothing was carried out")
        return Hop(name="effect", link=Link.BROKEN, said="", lacks="the action")
    unsure = [step.name for step in it.steps if not _is_known(step)]
    if unsure:
        return Hop(
            name="effect", link=Link.BROKEN, said="", lacks=f"the outcome of {', '.join(unsure)}"
        )
    told = ", ".join(f"{step.name} {step.outcome.value}" for step in it.steps)
    return Hop(name="effect", link=Link.RESOLVED, said=told)


def _is_known(step: Step) -> bool:
    """Whether it is known if the step took effect."""
    if step.outcome is StepOutcome.OK:
        return True
    return all(attempt.took_effect is not None for attempt in step.attempts)


def _span(step: Step | None) -> Evidence | None:
    if step is None:
        return None
    first = step.attempts[0]
    return Evidence(kind="span", trace_id=first.trace_id, span_id=first.span_id)
