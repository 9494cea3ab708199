"""What replays of this flow gave, with the first point where they went another way."""

from collections.abc import Sequence

import streamlit as st

from dashboards import links
from dashboards.flow_page import FlowPage
from dashboards.markup import chip, facts, notes, word_chip
from dashboards.wording import duration_text, plural, shortened, value_text
from store.conclusions import Divergence, ReplayResult

VALUE_LENGTH_MAX = 400


def replays_part(page: FlowPage) -> None:
    """One box per replay, the control first."""
    st.subheader("Replays")
    if not page.replays:
        st.text("This flow has not been replayed. Replay it:")
        links.as_command("replay", "run", page.flow.flow_id)
        return
    names = {step.step_id: step.name for step in page.flow.steps}
    for replay in page.replays:
        with st.container(border=True):
            st.html(_chips(replay))
            st.html(facts(_facts(replay)))
            if replay.divergences:
                first = replay.divergences[0]
                st.html(notes(_told(first, names, replay.divergences), tone="warn"))


def _chips(replay: ReplayResult) -> str:
    parts = [word_chip(replay.verdict, label=f"{replay.mode}:")]
    parts.append(chip(f"scenario {replay.scenario}" if replay.scenario else "control, no change"))
    if replay.claim:
        parts.append(chip(f"claim {replay.claim}", tone="info"))
    parts += [chip(flag, tone="warn", icon="◐") for flag in replay.flags[:8]]
    return "".join(parts)


def _facts(replay: ReplayResult) -> list[tuple[str, str]]:
    learnt = plural(replay.program_flows, "other flow" if replay.leave_one_out else "flow")
    low, high = replay.virtual_low_ns, replay.virtual_high_ns
    pairs = [
        ("outcome", replay.outcome),
        ("program from", learnt),
        ("virtual duration", f"{duration_text(low)} to {duration_text(high)}"),
        ("digest", replay.digest),
        ("reason", replay.reason),
    ]
    return [(key, value) for key, value in pairs if value]


def _told(first: Divergence, names: dict[str, str], every: Sequence[Divergence]) -> list[str]:
    where = names.get(first.step_id, first.step_id)
    lines = [
        f"first divergence: {first.kind.replace('_', ' ')} at {where} {first.path}".rstrip(),
        f"recorded: {shortened(value_text(first.recorded), VALUE_LENGTH_MAX)}",
        f"replayed: {shortened(value_text(first.replayed), VALUE_LENGTH_MAX)}",
    ]
    more = len(every) - 1
    return [*lines, f"{plural(more, 'more divergence')}"] if more else lines
