"""Replays of many flows at once, told as changes of how they end."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrospan.documents import Document
from retrospan.edge import Edge
from retrospan.programs import interval_ppm
from retrospan.selection import Options, choose
from store.conclusions import Flow, ReplayResult
from store.errors import NotFoundError, UsageError
from store.model import JsonValue

if TYPE_CHECKING:
    from replay.recording import Recording

Show = Callable[[str], None]
FIELDS = ("flow_id", "name", "version", "outcome", "replayability")
REASONS_SHOWN_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which flows, and what is to be different for them; `backtest` names a version."""

    incident: str | None
    options: Options
    scenario: Path | None
    backtest: str | None
    workers: int | None


def batch_document(edge: Edge, wanted: Wanted, tell: Show) -> Document:
    """`retrospan.replay_outcomes/1`; the results are stored too."""
    from replay.scenario import Scenario, load_scenario
    from replay.settings import ReplaySettings
    from replay.workers import replay_with_workers
    from retrospan.replaying import kept

    settings = edge.settings().fill("replay", ReplaySettings)
    scenario = None if wanted.scenario is None else load_scenario(wanted.scenario)
    if wanted.backtest is not None and scenario is None:
        scenario = Scenario(name=f"version {wanted.backtest}", version=wanted.backtest)
    flows, chosen = _flows(edge, wanted)
    workers = wanted.workers or os.cpu_count() or 1
    results = replay_with_workers(
        flows,
        [flow.flow_id for flow in chosen],
        workers=workers,
        scenario=scenario,
        settings=settings,
        progress=lambda done, whole: tell(f"replayed {done} of {whole}"),
    )
    tell("")
    results = kept(edge, results)
    compared = None
    if wanted.backtest is not None:
        compared = _back_test(flows, chosen, results, wanted.backtest)
    return _document(chosen, results, None if scenario is None else scenario.name, compared)


def _flows(edge: Edge, wanted: Wanted) -> tuple[list[Flow], list[Flow]]:
    """All flows, which serve as recordings, and the chosen ones."""
    from retrospan.documents import flow_row
    from store import read

    with edge.reading("reading flows to replay") as session:
        chosen = choose(session, wanted.options, FIELDS)
        members = None
        if wanted.incident is not None:
            members = set(read.read_incident(session, wanted.incident).flow_ids)
        flows = read.read_flows(session)
        selected = read.read_flows(session, chosen.flows) if chosen.narrow else flows
    rows = [
        {**flow_row(flow), "version": flow.version}
        for flow in selected
        if (members is None or flow.flow_id in members)
        and (wanted.backtest is None or flow.version != wanted.backtest)
    ]
    chosen.say_more(edge, chosen.matching(rows))
    names = {row["flow_id"] for row in chosen.rows(rows)}
    found = [flow for flow in selected if flow.flow_id in names]
    if not found:
        raise NotFoundError("no flow matches; `retrospan flows list` shows what there is")
    if wanted.backtest is not None:
        known = sorted({flow.version for flow in flows if flow.name == found[0].name})
        if wanted.backtest not in known:
            raise UsageError(f"--backtest {wanted.backtest}: there are versions {', '.join(known)}")
    return flows, found


def _back_test(
    flows: Sequence[Flow], chosen: Sequence[Flow], results: Sequence[ReplayResult], version: str
) -> Document:
    from replay.backtest import back_test, side_by_side
    from replay.recording import recording_of
    from replay.whatif import answered

    names = {flow.name for flow in chosen}
    after = [flow for flow in flows if flow.version == version and flow.name in names]
    both = side_by_side(chosen, after) if after else None
    asked, after = both or (chosen, after)
    real = [recording_of(flow) for flow in after]
    before = {flow.flow_id: recording_of(flow) for flow in asked}
    predicted = [one for one in results if one.flow_id in before and answered(one)]
    return {
        "version": version,
        "side_by_side": None if both is None else _sides(*both),
        "before": len(before),
        "before_failed": sum(map(_met_failure, before.values())),
        "predicted": len(predicted),
        "claimed": sum(one.claim is not None for one in predicted),
        "real": len(real),
        "real_failed": sum(map(_met_failure, real)),
        "shares": [
            {
                "what": row.what,
                "before": row.before,
                "before_n": row.before_n,
                "predicted": row.predicted,
                "predicted_n": row.predicted_n,
                "real": row.real,
                "real_n": row.real_n,
                "difference_low_ppm": row.low_ppm,
                "difference_high_ppm": row.high_ppm,
                "agrees": row.agrees,
            }
            for row in back_test([*before.values()], predicted, real)
        ],
    }


def _sides(before: Sequence[Flow], after: Sequence[Flow]) -> Document:
    """Which version ran beside the other, and when."""
    starts = [flow.start_ns for flow in (*before, *after)]
    return {"beside": before[0].version, "first_ns": min(starts), "last_ns": max(starts)}


def _met_failure(recording: "Recording") -> bool:
    """Whether a flow met a failed answer: where the groups differ in this, they met other weather,
    and the change alone does not explain how they differ."""
    return any(
        attempt.status != "ok"
        for step in recording.steps
        if not step.local
        for attempt in step.attempts
    )


def _document(
    chosen: Sequence[Flow],
    results: Sequence[ReplayResult],
    scenario: str | None,
    compared: Document | None,
) -> Document:
    controls = Counter(result.control_verdict or result.verdict for result in results)
    judged = [
        (flow, result)
        for flow, result in zip(chosen, results, strict=True)
        if scenario is None or result.claim is not None
    ]
    judged = [(flow, result) for flow, result in judged if result.verdict != "unreplayable"]
    claims = Counter(result.claim or "none" for result in results)
    changes: list[JsonValue] = [*_changes(judged)]
    reasons = Counter(
        result.reason.partition(";")[0]
        for result in results
        if result.verdict == "unreplayable" or (scenario is not None and result.claim is None)
    )
    unclear: list[JsonValue] = [
        {"reason": reason, "flows": count}
        for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    return {
        "schema": "retrospan.replay_outcomes/1",
        "scenario": scenario,
        "flows": len(results),
        "controls": {
            verdict: controls[verdict]
            for verdict in ("identical", "equivalent", "diverged", "unreplayable")
        },
        "claims": {name: claims[name] for name in ("C1", "C2", "C3", "C4", "none")},
        "judged": len(judged),
        "outcome_changes": changes,
        "not_judged": unclear[:REASONS_SHOWN_MAX],
        "backtest": compared,
    }


def _changes(judged: Sequence[tuple[Flow, ReplayResult]]) -> list[Document]:
    """How flows end before and after, per kind, with the share of the judged of the kind. Ends
    between which lent answers decide are all named."""
    from replay.whatif import OR, ends_of

    counted: Counter[tuple[str, str, str, str]] = Counter()
    totals: Counter[tuple[str, str]] = Counter()
    for flow, result in judged:
        totals[flow.name, flow.version] += 1
        after = OR.join(ends_of(result))
        counted[flow.name, flow.version, flow.outcome.value, after] += 1
    rows: list[Document] = []
    for (name, version, before, after), count in sorted(counted.items()):
        low, high = interval_ppm(count, totals[name, version])
        rows.append(
            {
                "name": name,
                "version": version,
                "before": before,
                "after": after,
                "flows": count,
                "n": totals[name, version],
                "low_ppm": low,
                "high_ppm": high,
            }
        )
    return rows
