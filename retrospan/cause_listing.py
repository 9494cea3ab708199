"""The candidate causes of an incident as a document, and as lines for people."""

from collections.abc import Mapping

from analyzer.rootcause.rank import Candidate
from retrospan.causes import Cause, Causes
from retrospan.documents import incident_row
from retrospan.text import visible
from retrospan.timespan import utc
from store.model import JsonValue


def cause_row(cause: Cause) -> Mapping[str, JsonValue]:
    """One candidate of `retrospan.incidents/1`."""
    candidate = cause.candidate
    return {
        "rank": cause.rank,
        "kind": candidate.kind,
        "name": candidate.name,
        "score": round(candidate.score, 6),
        "parts": {
            part: {"value": round(clue.value, 6), "n": clue.n, "detail": clue.detail}
            for part, clue in sorted(candidate.parts.items())
        },
        "confirmed": cause.confirmation.status,
        "reason": cause.confirmation.reason,
    }


def document_of(found: Causes) -> dict[str, JsonValue]:
    """`retrospan.incidents/1` of one incident."""
    return {"schema": "retrospan.incidents/1", "incidents": [row_of(found)]}


def row_of(found: Causes) -> dict[str, JsonValue]:
    """One incident with its candidates, reach and changes."""
    impact = found.impact
    contained = impact.contained_by
    return {
        **incident_row(found.incident),
        "candidates": [dict(cause_row(cause)) for cause in found.causes],
        "generation": found.generation,
        "inputs": [
            {"kind": one.kind, "name": one.name, "sha256": one.sha256, "records": one.records}
            for one in found.inputs
        ],
        "no_cause": found.ranking.reason,
        "without_data": list(found.ranking.unseen),
        "impact": {
            "affected": impact.affected,
            "flows": impact.flows,
            "by_kind": dict(impact.by_kind),
            "contained_by": None
            if contained is None
            else {"service": contained[0], "failed_there": contained[1], "failed": contained[2]},
            "residual_effects": impact.residual_effects,
            "flows_to_repair": impact.flows_to_repair,
        },
        "changes": [
            {
                "at_ns": change.at_ns,
                "kind": change.kind,
                "service": change.service,
                "name": change.name,
            }
            for change in found.changes
        ],
    }


def page(found: Causes) -> list[str]:
    """The same for people, line by line."""
    incident, impact = found.incident, found.impact
    lines = [
        f"{incident.incident_id}  {visible(incident.title)}  ({visible(incident.declared_by)})",
        "",
        f"  impact start  {utc(incident.start_ns)}",
        f"  detected      {_when(incident.detected_ns, incident.start_ns)}",
        f"  mitigated     {_when(incident.mitigated_ns, incident.start_ns)}",
        f"  recovered     {_when(incident.recovered_ns, incident.start_ns)}",
        "",
        f"  {impact.affected} of {impact.flows} flows failed or broke a rule: "
        + ", ".join(f"{visible(kind)} {count}" for kind, count in impact.by_kind.items()),
    ]
    if impact.contained_by is not None:
        service, there, failed = impact.contained_by
        lines.append(f"  {there} of {failed} failed flows had failing calls to {visible(service)}")
    lines.append(
        f"  left to repair: {impact.residual_effects} effects in {impact.flows_to_repair} flows "
        "(retrospan sagas list --residual)"
    )
    lines += ["", "Changes"]
    lines += [
        f"  {_apart(change.at_ns - incident.start_ns):>9}  {change.kind} "
        f"{visible(change.service)} {visible(change.name)}"
        for change in found.changes
    ] or ["  none recorded; name others with --changes FILE"]
    if found.inputs:
        lines += ["", "Files given for it"]
        lines += [
            f"  {one.kind}  {visible(one.name)}  {one.records} records around it, "
            f"SHA-256 {one.sha256[:12]}"
            for one in found.inputs
        ]
    lines += ["", f"Candidate causes (from generation {found.generation} of the data)"]
    for cause in found.causes:
        one = cause.candidate
        lines.append(
            f"  {cause.rank}. {one.kind} {visible(_short(one))}  score {one.score:.2f}  "
            f"{cause.confirmation.status}"
        )
        lines.append(f"       {visible(cause.confirmation.reason)}")
        lines += [
            f"       {part}: {visible(clue.detail)} ({clue.value:.2f})"
            for part, clue in sorted(one.parts.items())
        ]
        if one.below:
            lines.append(f"       {visible(one.below)}, which it calls, explains part of this")
    if not found.causes:
        lines.append(f"  none: {found.ranking.reason}")
    if found.ranking.unseen:
        lines += ["", f"  no data for: {', '.join(found.ranking.unseen)}"]
    return lines


def _short(candidate: Candidate) -> str:
    """The name without the kind, which stands before it."""
    return candidate.name.removeprefix(f"{candidate.kind} ")


def _when(at_ns: int | None, start_ns: int) -> str:
    return "not shown" if at_ns is None else f"{utc(at_ns)}  {_apart(at_ns - start_ns)}"


def _apart(duration_ns: int) -> str:
    sign = "-" if duration_ns < 0 else "+"
    seconds = abs(duration_ns) // 1_000_000_000
    if seconds >= 7_200:
        return f"{sign}{seconds // 3_600} h"
    return f"{sign}{seconds // 60} min" if seconds >= 300 else f"{sign}{seconds} s"
