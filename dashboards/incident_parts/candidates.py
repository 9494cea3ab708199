"""What may have caused an incident, each candidate tried by replay where that can be."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from analyzer.rootcause.rank import all_parts
from dashboards import configured, data, links
from dashboards.access import may_write
from dashboards.components.address_filters import switched
from dashboards.components.plain_table import plain_table
from dashboards.incident_parts.contrasts import contrast_part
from dashboards.markup import chip, heading, notes
from dashboards.wording import clean, duration_text, markdown_safe, plural, time_text
from replay.settings import ReplaySettings
from retrospan.causes import NOT_TRIED, Cause, Causes, causes_of, kept_causes
from store.conclusions import Incident

SHOWN_MAX = 5
FLOWS_MAX = 20_000  # flows that a page reads whole to look for causes
LOOKS = {
    "confirmed": ("confirmed by replay", "error", "✖"),
    "refuted": ("refuted by replay", "ok", "✔"),
    "untested": ("untested", "neutral", "?"),
}


def candidates_tab(incident: Incident, flows: int) -> None:
    """Candidates with their parts, changes around the incident, what sets its flows apart.

    They are looked for among all flows of the store. Of a large one only what the command
    concluded and kept is shown.
    """
    found = _found(incident) if flows <= FLOWS_MAX else _kept(incident)
    if found is None:
        st.text(
            f"This store holds {flows:,} flows; a page looks for causes among at most "
            f"{FLOWS_MAX:,}. The command looks among all and keeps what it finds, which is then "
            "shown here:"
        )
        links.as_command("incidents", "show", incident.incident_id)
    else:
        _told(found, incident)
    st.subheader("What sets the affected flows apart")
    contrast_part(incident)


def _found(incident: Incident) -> Causes:
    """Concluded here, with replays when asked for."""
    tried = switched(
        f"Try each candidate by replay of {plural(len(incident.flow_ids), 'flow')} (takes seconds)",
        "try",
        "The suspect's answers from before the incident are swapped in; a cause is confirmed "
        "only if the symptom goes, and swaps elsewhere do not remove it.",
    )
    path = data.store_path()
    return _causes(str(path), data.stamp_of(path), incident.incident_id, tried)


def _kept(incident: Incident) -> Causes | None:
    settings = configured.settings().fill("replay", ReplaySettings)
    return data.held("kept causes", lambda session: kept_causes(session, incident, settings))


def _told(found: Causes, incident: Incident) -> None:
    if not found.causes:
        st.html(notes([f"No cause is named: {found.ranking.reason or 'nothing stands out'}."]))
    else:
        _ranked(found.causes)
    for cause in found.causes[:SHOWN_MAX]:
        with st.expander(_named(cause), expanded=cause.rank == 1):
            _cause(cause, incident)
    rest = len(found.causes) - SHOWN_MAX
    if rest > 0:
        st.caption(f"{plural(rest, 'weaker candidate')}: the command below tells of all.")
    if found.ranking.unseen:
        unseen = ", ".join(name.replace("_", " ") for name in found.ranking.unseen)
        st.caption(f"Without data for: {unseen}.")
    links.as_command("incidents", "show", incident.incident_id)
    st.subheader("Changes around it")
    _changes(found)


def _named(cause: Cause) -> str:
    candidate = cause.candidate
    word, _, icon = LOOKS.get(cause.confirmation.status, LOOKS["untested"])
    kind = "" if candidate.name.startswith(candidate.kind) else f"{candidate.kind} "
    return markdown_safe(f"{cause.rank}. {kind}{candidate.name} · {icon} {word}")


def _ranked(causes: Sequence[Cause]) -> None:
    """All of them in a table: who, how sure, and the strongest thing that speaks for it."""
    rows = []
    for cause in causes:
        candidate = cause.candidate
        word, _, icon = LOOKS.get(cause.confirmation.status, LOOKS["untested"])
        clues = sorted(candidate.parts.items(), key=lambda it: (-it[1].value, it[0]))
        part, clue = clues[0] if clues else ("", None)
        rows.append(
            {
                "rank": cause.rank,
                "suspect": clean(candidate.name),
                "kind": clean(candidate.kind),
                "service": clean(candidate.service) or "–",
                "tried by replay": f"{icon} {word}",
                "score": candidate.score,
                "strongest evidence": clean(f"{part.replace('_', ' ')}: {clue.detail}")
                if clue
                else "–",
                "n": clue.n if clue else 0,
            }
        )
    score = st.column_config.ProgressColumn(format="%.2f", min_value=0, max_value=1)
    plain_table(
        pl.DataFrame(rows),
        key="cause_ranks",
        alt="Candidates by rank",
        columns={"score": score},
    )
    st.caption("A score orders candidates; it is no probability.")


def _cause(cause: Cause, incident: Incident) -> None:
    candidate = cause.candidate
    word, tone, icon = LOOKS.get(cause.confirmation.status, LOOKS["untested"])
    with st.container():
        st.html(
            heading(
                f"{cause.rank}. {candidate.name}",
                above=f"{candidate.kind} of {candidate.service or 'no service'}",
                size_rem="1.1",
            )
            + chip(word, tone=tone, icon=icon)
            + chip(f"score {candidate.score:.2f}", title="orders candidates; no probability")
            + (chip(f"partly explained by {candidate.below}") if candidate.below else "")
            + (
                ""
                if cause.confirmation == NOT_TRIED
                else notes([cause.confirmation.reason], tone=tone)
            )
        )
        weights = all_parts()
        table = pl.DataFrame(
            [
                {
                    "evidence": part.replace("_", " "),
                    "strength": f"{clue.value:.2f}",
                    "at most": f"{weights[part].weight:.2f}" if part in weights else "–",
                    "of (n)": clue.n,
                    "says": clean(clue.detail),
                }
                for part, clue in sorted(candidate.parts.items())
            ]
        )
        if not table.is_empty():
            plain_table(table, key=f"cause-{cause.rank}", alt=f"Evidence on {candidate.name}")
        with st.container(horizontal=True, vertical_alignment="center"):
            if candidate.service:
                links.flows_link(
                    f"Affected flows through {candidate.service}",
                    incident=incident.incident_id,
                    service=candidate.service,
                )
            if incident.flow_ids:
                links.view_link("replay", "Replay an affected flow", flow=incident.flow_ids[0])


def _changes(found: Causes) -> None:
    if not found.changes:
        st.text("No change of version, flag, policy or model was recorded around it.")
        return
    start_ns = found.incident.start_ns
    table = pl.DataFrame(
        [
            {
                "time": time_text(one.at_ns),
                "from the start": _signed(one.at_ns - start_ns),
                "kind": clean(one.kind),
                "service": clean(one.service) or "–",
                "change": clean(one.name),
            }
            for one in found.changes
        ]
    )
    plain_table(table, key="incident_changes", alt="Changes around the incident", height_max_px=420)


def _signed(length_ns: int) -> str:
    return f"+{duration_text(length_ns)}" if length_ns >= 0 else duration_text(length_ns)


@st.cache_resource(max_entries=4, show_spinner="Looking for causes …")
def _causes(path: str, stamp: data.Stamp, incident_id: str, tried: bool) -> Causes:
    """As `retrospan incidents show` finds them."""
    del path, stamp  # only parts of the key
    return causes_of(configured.edge(), incident_id, replays=tried, keeps=may_write())
