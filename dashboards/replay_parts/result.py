"""What one replay gave: verdict, claim, divergences side by side, both waterfalls."""

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.exports import exports
from dashboards.components.two_waterfalls import lanes, two_waterfalls
from dashboards.markup import chip, facts, notes, word_chip, worded
from dashboards.wording import clean, duration_text, plural, shortened, value_text
from replay.doubts import CLAIMS, in_words
from replay.whatif import ends_of
from retrospan.divergences import KINDS
from store.conclusions import Flow, ReplayResult

VALUE_LENGTH_MAX = 300


def control(result: ReplayResult) -> None:
    """The unchanged replay in a line: only when it matches does a what-if mean anything."""
    words = {
        "identical": "The recording, run again, does exactly the same.",
        "equivalent": "The recording, run again, differs in noise only.",
        "diverged": "The recording, run again, goes another way: a what-if says little.",
        "unreplayable": "This flow cannot be replayed.",
    }
    digest = chip(f"digest {result.digest}") if result.digest else ""
    st.html(word_chip(result.verdict, label="control replay:") + digest)
    st.text(words.get(result.verdict, result.verdict))
    if result.reason:
        st.caption(clean(shortened(result.reason, 400)))


def outcome(flow: Flow, result: ReplayResult) -> None:
    """A replay in full; a what-if when it names a scenario."""
    st.html(_chips(flow, result))
    st.html(facts(_facts(flow, result)))
    if result.flags:
        st.html(notes([f"doubt: {in_words(flag)}" for flag in result.flags[:8]], tone="warn"))
    if result.verdict == "unreplayable":
        return
    _divergences(flow, result)
    st.subheader("Recorded and replayed, on one axis")
    st.html(two_waterfalls(lanes(flow, result)))


def _chips(flow: Flow, result: ReplayResult) -> str:
    parts = [word_chip(result.verdict, label="replay:")]
    if result.scenario is not None:
        claim = result.claim
        tone = "info" if claim else "warn"
        told = f"claim {claim}: {CLAIMS.get(claim, '')}" if claim else "no claim is made"
        parts.append(chip(told, tone=tone))
        if result.control_verdict:
            parts.append(word_chip(result.control_verdict, label="its control:"))
    parts.append(word_chip(flow.outcome.value, label="recorded:"))
    if result.outcome:
        parts.append(word_chip(result.outcome, label="replayed:"))
        same = result.outcome == flow.outcome.value
        parts.append(chip("ends the same" if same else "ends otherwise", icon="=" if same else "≠"))
        others = ends_of(result)[1:]
        if others:
            text = f"or {', '.join(map(worded, others))}: what nobody recorded decides"
            parts.append(chip(text, tone="warn", icon="◐"))
    return "".join(parts)


def _facts(flow: Flow, result: ReplayResult) -> list[tuple[str, str]]:
    took = flow.end_ns - flow.start_ns if flow.end_ns is not None else None
    low, high = duration_text(result.virtual_low_ns), duration_text(result.virtual_high_ns)
    span = low if low == high else f"between {low} and {high}"
    answers = ", ".join(
        f"{name} {count}" for name, count in sorted(result.answers.items()) if count
    )
    learnt = plural(result.program_flows, "other flow" if result.leave_one_out else "flow")
    pairs = [
        ("why", result.reason),
        ("duration", f"recorded {duration_text(took)}, replayed {span}"),
        ("program learnt from", f"{learnt} of its kind"),
        ("answers came from", answers),
    ]
    replayable = result.verdict != "unreplayable"
    return [(name, text) for name, text in pairs if text and (replayable or name == "why")]


def _divergences(flow: Flow, result: ReplayResult) -> None:
    st.subheader(f"Divergences ({len(result.divergences):,})")
    if not result.divergences:
        st.text("None: every call, answer and outcome is as recorded.")
        return
    names = {
        step.step_id: " ".join(
            filter(None, (step.callee or step.service, step.operation, step.key))
        )
        for step in flow.steps
    }
    table = pl.DataFrame(
        [
            {
                "step": clean(names.get(one.step_id, one.step_id)),
                "what": KINDS.get(one.kind, one.kind.replace("_", " ")),
                "where": clean(one.path),
                "recorded": _value(one.recorded),
                "replayed": _value(one.replayed),
                "line of code": clean(one.line),
                "follows from": clean(names.get(one.source, one.source))
                or ("▲ first" if place == 0 else ""),
            }
            for place, one in enumerate(result.divergences)
        ]
    )
    st.dataframe(table, hide_index=True, alt="Divergences, recorded beside replayed")
    exports(table, "divergences")


def _value(value: object) -> str:
    return shortened(value_text(value), VALUE_LENGTH_MAX)  # type: ignore[arg-type]  # JSON


def flips(flows: list[Flow], results: list[ReplayResult]) -> None:
    """Flows that end otherwise than recorded; a row leads to that flow's own what-if."""
    rows = [
        {
            "flow_id": flow.flow_id,
            "recorded": worded(flow.outcome.value),
            "replayed": worded(result.outcome),
            "claim": result.claim or "none",
            "control": worded(result.control_verdict or "unknown"),
        }
        for flow, result in zip(flows, results, strict=True)
        if result.claim is not None and flow.outcome.value not in ends_of(result)
    ]
    st.text(f"{plural(len(rows), 'flow')} would have ended otherwise.")
    if not rows:
        return
    table = pl.DataFrame(rows)
    st.dataframe(table, hide_index=True, alt="Flows that end otherwise")
    exports(table, "flips")
    links.replay_link(f"First of them: {rows[0]['flow_id']}", flow=rows[0]["flow_id"])
