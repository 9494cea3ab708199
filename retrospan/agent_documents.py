"""The document of `retrospan governance decisive`."""

from typing import TYPE_CHECKING

from retrospan.documents import Document
from retrospan.text import shortened, visible

if TYPE_CHECKING:
    from analyzer.agents.decisive import Ranking
    from analyzer.agents.read import Recorded
    from analyzer.agents.run import Turn

SAID_CHARACTERS = 160


def decisive_document(found: "Recorded", ranking: "Ranking") -> Document:
    """The candidates, likeliest first; `step` and `agent` are null where nothing is named."""
    return {
        "schema": "retrospan.governance_decisive/1",
        "flow_id": found.flow.flow_id,
        "outcome": found.flow.outcome.value,
        "method": ranking.method.value,
        "messages": len(found.run.turns),
        "peers": ranking.peers,
        "step": None if ranking.step is None else _turn(ranking.step),
        "agent": ranking.agent,
        "why": ranking.why,
        "agents": [{"agent": name, "probability": share} for name, share in ranking.agents],
        "candidates": [
            {
                "rank": number,
                **_turn(it.turn),
                "probability": it.probability,
                "reasons": list(it.reasons),
            }
            for number, it in enumerate(ranking.candidates, 1)
        ],
    }


def described(document: Document) -> list[str]:
    """What is named, and how far that can be trusted, in words."""
    step, agent = document["step"], document["agent"]
    lines = [f"flow: {visible(document['flow_id'])} ({document['outcome']})"]
    named = "none is named"
    if isinstance(step, dict):
        named = f"message {step['turn']} of {visible(step['agent'])}"
    lines.append(f"decisive step: {named}")
    lines.append(f"decisive agent: {visible(agent) if agent else 'none is named'}")
    lines.append(f"how: {visible(document['why'])}")
    return lines


def _turn(turn: "Turn") -> Document:
    calls = ", ".join(f"{name}({arguments})" for name, arguments in turn.calls)
    return {
        "turn": turn.place,
        "agent": turn.agent,
        "said": shortened(" ".join((turn.text or calls).split()), SAID_CHARACTERS),
        "decision_id": f"span:{turn.trace_id}/{turn.span_id}",
        "trace_id": turn.trace_id,
        "span_id": turn.span_id,
    }
