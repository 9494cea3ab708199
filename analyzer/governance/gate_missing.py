"""Finds decisions that were carried out although no gate is recorded of them.

That an action needs a gate is a rule of the team: it is taken from `required_flows`, where missing
it is a violation, else from the other flows of the kind, most of which must have one; then it is
suspected.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, Row, population_finding
from store.conclusions import Finding, Verdict

NAME = "gate_missing"
REMEDY = (
    "Let every decision with an effect pass its gate, and refuse the action where no answer of the "
    "gate is at hand; look first at the release in which the first of these flows ran."
)
SAMPLE_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class GateMissingSettings:
    """`required_flows` names kinds of flows whose actions need a gate."""

    gated_percent_min: int = 50
    required_flows: tuple[str, ...] = ()


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(GateMissingSettings)
    rows = case.answers["gate_missing"]
    found = [_finding(case, settings, row) for row in rows if _is_told(settings, row)]
    return Judged(
        findings=found,
        examined={"carried out decisions": sum(row["gated"] + row["ungated"] for row in rows)},
    )


def _is_told(settings: GateMissingSettings, row: Row) -> bool:
    if not row["ungated"]:
        return False
    if row["flow_name"] in settings.required_flows:
        return True
    share_needed = settings.gated_percent_min * (row["gated"] + row["ungated"])
    return bool(row["gated"] * 100 >= share_needed)


def _finding(case: PopulationCase, settings: GateMissingSettings, row: Row) -> Finding:
    required = row["flow_name"] in settings.required_flows
    why = "which are declared to need one" if required else f"{row['gated']} others did"
    return population_finding(
        NAME,
        subject=[row["flow_name"]],
        severity="critical" if required else "warning",
        verdict=case.sure() if required else Verdict.SUSPECTED,
        message=f"{row['ungated']} decisions of {row['flow_name'] or 'unnamed'} flows were carried "
        f"out without passing a gate; {why}",
        remedy=REMEDY,
        spans=(row["sample"] or [])[:SAMPLE_MAX],
        facts={
            "flow_name": row["flow_name"],
            "gated": row["gated"],
            "ungated": row["ungated"],
        },
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    settings=GateMissingSettings,
    detect=_detect,
)
