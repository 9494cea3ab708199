"""One decision: what was chosen, from what, under which policy, and what came of it."""

import polars as pl
import streamlit as st

from analyzer.oversight.joined import Joined
from analyzer.oversight.provenance import Hop, Link, depth, provenance
from dashboards import links
from dashboards.components.picking_table import picking_table
from dashboards.components.plain_table import plain_table
from dashboards.markup import chip, facts, heading
from dashboards.moments import moment
from dashboards.oversight_parts.read import of_one
from dashboards.wording import body_text, clean, duration_text, plural, value_text
from store.model import JsonValue

LOOKS = {
    Link.RESOLVED: "✔ leads on",
    Link.BROKEN: "✖ broken",
    Link.NOT_APPLICABLE: "– does not apply",
}


def decision_part(decision_id: str) -> None:
    """Head, provenance chain, candidates, the record as it was read."""
    links.view_link("ai", "All decisions")
    it = of_one(decision_id)
    decision = it.decision
    model = f"{decision.model_name or 'model not recorded'} {decision.model_version or ''}".strip()
    st.html(heading(decision.chosen or "nothing chosen", above=f"decision of {model}"))
    st.html(_chips(it))
    left, right = st.columns([2, 3], gap="small")
    with left:
        st.code(decision.decision_id, language=None)
    with right:
        links.as_command("decisions", "show", decision.decision_id, "--json")
    with st.container(horizontal=True, vertical_alignment="center"):
        if it.flow is not None:
            links.trace_link("Its flow", flow=it.flow.flow_id)
            if decision.span_id:
                links.trace_link("Its span", flow=it.flow.flow_id, span=decision.span_id)
        links.view_link("ai", "Ask another policy of all decisions", about="Policy back-test")
        if it.flow is not None:
            links.replay_link("Replay its flow, what if", flow=it.flow.flow_id)
    hops = provenance(it)
    st.subheader("Where it came from, what it led to")
    _chain(it, hops)
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("The decision")
        st.html(facts(_facts(it)))
        st.html(f"<div>Made {moment(decision.time_ns, digits=3)}</div>")
    with right:
        st.subheader("Candidates")
        _candidates(decision.record.get("candidates"), decision.chosen)
    with st.expander("The whole record"):
        st.code(body_text(dict(decision.record)), language="json", wrap_lines=True)


def _chips(it: Joined) -> str:
    below = it.below_threshold
    chips = [
        chip("below its threshold", tone="warn", icon="◐")
        if below
        else chip("threshold met", tone="ok", icon="✔")
        if below is False
        else chip("confidence or threshold not recorded", icon="?"),
        chip(f"gate: {it.outcome}" if it.outcome else "gate: none recorded", tone="info"),
        chip(f"gate came {it.gate.value.replace('_', ' ')} the action")
        if it.gate.value in ("before", "after")
        else chip(f"gate: {it.gate.value.replace('_', ' ')}"),
    ]
    acted = {True: "carried out", False: "not carried out", None: "carried out: unknown"}
    chips.append(chip(acted[it.acted], tone="info" if it.acted else "neutral"))
    if it.reviewed:
        chips.append(chip(f"a person said {it.review.get('outcome')}", tone="info"))
    return "".join(chips)


def _chain(it: Joined, hops: list[Hop]) -> None:
    applies = sum(hop.link is not Link.NOT_APPLICABLE for hop in hops)
    st.caption(
        f"{depth(hops)} of {plural(applies, 'hop')} that apply can be followed without a gap. "
        "Select a row with a span to open it."
    )
    table = pl.DataFrame(
        [
            {
                "hop": hop.name,
                "": LOOKS[hop.link],
                "says": clean(hop.said) or "–",
                "lacks": clean(hop.lacks) or "–",
                "evidence": f"span {hop.evidence.span_id}"
                if hop.evidence is not None and hop.evidence.span_id
                else "–",
            }
            for hop in hops
        ]
    )
    row = picking_table(table, key="decision_chain", alt="Provenance of the decision, hop by hop")
    evidence = hops[row].evidence if row is not None else None
    if evidence is not None and it.flow is not None and evidence.span_id:
        links.open_view("trace", flow=it.flow.flow_id, span=evidence.span_id)


def _facts(it: Joined) -> list[tuple[str, str]]:
    decision, record = it.decision, it.decision.record
    latency = record.get("latency_ms")
    pairs: list[tuple[str, JsonValue]] = [
        ("confidence / threshold", f"{decision.confidence or '–'} / {decision.threshold or '–'}"),
        ("model", record.get("model") or decision.model_name),
        ("prompt", record.get("prompt")),
        ("policy", record.get("policy") or decision.policy_id),
        ("actor", record.get("actor")),
        ("flags", record.get("feature_flags")),
        ("person", dict(it.review) or None),
        ("action", record.get("action") or decision.action_step_key),
        ("payload executed", it.payload.value),
        ("outcome learned later", record.get("outcome")),
        ("usage", record.get("usage")),
        ("latency", f"{latency} ms" if latency is not None else None),
        (
            "on the critical path",
            None if it.decision_ns is None else duration_text(it.decision_ns),
        ),
        ("flow", it.flow.flow_id if it.flow is not None else None),
    ]
    return [
        (name, "not recorded" if value in (None, "", [], {}) else told(value))
        for name, value in pairs
    ]


def told(value: JsonValue) -> str:
    """A recorded value in words: `name fraud-net, version 2026-05`."""
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {told(it)}" for name, it in value.items())
    if isinstance(value, list):
        return ", ".join(map(told, value))
    return value_text(value)


def _candidates(told: JsonValue, chosen: str) -> None:
    rows = [it for it in told if isinstance(it, dict)] if isinstance(told, list) else []
    if not rows:
        st.text("Not recorded.")
        return
    table = pl.DataFrame(
        [
            {
                "": "✔ chosen" if it.get("action") == chosen else "",
                "action": value_text(it.get("action")),
                "score": value_text(it.get("score")),
            }
            for it in rows
        ]
    )
    plain_table(table, key="decision_candidates", alt="Candidates and their scores")
