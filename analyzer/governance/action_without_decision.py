"""Finds actions of flows of which no decision is recorded.

That an action needs a decision is taken from `required_flows`, where its absence is a violation,
else from the other flows of the kind: nearly all must have one, made before that action, and then
it is suspected. An action that comes before the decision elsewhere is not its doing.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, Row, population_finding
from store.conclusions import Finding, Verdict

NAME = "action_without_decision"
REMEDY = (
    "Record the decision behind every action, also that of a fallback or of a person; if the log "
    "was not loaded completely, load the rest."
)
SAMPLE_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionWithoutDecisionSettings:
    """`required_flows` names kinds of flows whose actions need a decision."""

    decided_percent_min: int = 90
    required_flows: tuple[str, ...] = ()


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(ActionWithoutDecisionSettings)
    rows = case.answers["action_without_decision"]
    found = [_finding(case, settings, row) for row in rows if _is_told(settings, row)]
    return Judged(
        findings=found,
        examined={"actions of flows": sum(row["decided"] + row["undecided"] for row in rows)},
    )


def _is_told(settings: ActionWithoutDecisionSettings, row: Row) -> bool:
    if not row["undecided"]:
        return False
    if row["flow_name"] in settings.required_flows:
        return bool(row["after"] or not row["decided"])
    share_needed = settings.decided_percent_min * (row["decided"] + row["undecided"])
    return bool(row["after"] * 100 >= share_needed)


def _finding(case: PopulationCase, settings: ActionWithoutDecisionSettings, row: Row) -> Finding:
    required = row["flow_name"] in settings.required_flows
    why = (
        "which are declared to need one"
        if required
        else f"{row['after']} others have one before it"
    )
    return population_finding(
        NAME,
        subject=[row["flow_name"], row["action"]],
        severity="critical" if required else "warning",
        verdict=case.sure() if required else Verdict.SUSPECTED,
        message=f"{row['undecided']} {row['flow_name'] or 'unnamed'} flows carried out "
        f"{row['action']} and no decision of theirs is recorded; {why}",
        remedy=REMEDY,
        spans=(row["sample"] or [])[:SAMPLE_MAX],
        facts={
            "flow_name": row["flow_name"],
            "action": row["action"],
            "decided": row["decided"],
            "undecided": row["undecided"],
        },
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    settings=ActionWithoutDecisionSettings,
    detect=_detect,
)
