"""What the programs of each flow kind reproduce, and what stored what-ifs changed."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal

from replay.fidelity import fidelity
from replay.settings import ReplaySettings
from retrospan.documents import Document
from store.conclusions import Flow, ReplayResult
from store.model import JsonValue

PPM = 1_000_000
Z_95 = Decimal("1.959964")
Kind = tuple[str, str]


def kind_of(flow: Flow) -> Kind:
    return flow.name, flow.version


def programs_document(
    flows: Sequence[Flow],
    controls: Sequence[ReplayResult],
    what_ifs: Sequence[ReplayResult],
    settings: ReplaySettings,
) -> Document:
    """`retrospan.replay_batch/1`: fidelity per kind, outcome changes per what-if."""
    kinds = {flow.flow_id: kind_of(flow) for flow in flows}
    by_kind: defaultdict[Kind, list[ReplayResult]] = defaultdict(list)
    for result in controls:
        by_kind[kinds[result.flow_id]].append(result)
    return {
        "schema": "retrospan.replay_batch/1",
        "programs": [_program(kind, by_kind[kind], settings) for kind in sorted(by_kind)],
        "outcome_changes": list(_changes(kinds, controls, what_ifs)),
    }


def _program(kind: Kind, results: Sequence[ReplayResult], settings: ReplaySettings) -> Document:
    measured = fidelity(results)
    usable = measured.flows - measured.unreplayable
    if usable < settings.control_flows_min:
        offers = "nothing"
    else:
        offers = "control" if usable < settings.scenario_flows_min else "what-if"
    digests: list[JsonValue] = []
    digests += sorted({one.program_digest for one in results if one.program_digest})
    reasons = Counter(result.reason for result in results if result.verdict == "unreplayable")
    return {
        "name": kind[0],
        "version": kind[1],
        "offers": offers,
        "flows": measured.flows,
        "identical": measured.identical,
        "equivalent": measured.equivalent,
        "diverged_flagged": measured.flagged,
        "diverged_silent": measured.silent,
        "unreplayable": measured.unreplayable,
        "reproduced_ppm": measured.right * PPM // usable if usable else None,
        "reproduced_doubted": measured.doubted,
        "diverged_late": measured.late,
        "times_inside_ppm": measured.inside_ppm if measured.right + measured.late else None,
        "reproduced_wide": measured.wide,
        "end_width_median_ppm": measured.width_ppm if measured.right else None,
        "digests": digests,
        "unreplayable_reasons": [
            {"reason": reason, "flows": reasons[reason]} for reason in sorted(reasons)
        ],
    }


def _changes(
    kinds: dict[str, Kind], controls: Sequence[ReplayResult], what_ifs: Sequence[ReplayResult]
) -> list[Document]:
    """Ends before and after each what-if, over those runs that make a claim."""
    before = {result.flow_id: result.outcome for result in controls}
    counted: Counter[tuple[str, Kind, str, str]] = Counter()
    totals: Counter[tuple[str, Kind]] = Counter()
    for result in what_ifs:
        if result.claim is None or result.flow_id not in before:
            continue
        group = (result.scenario or "", kinds[result.flow_id])
        totals[group] += 1
        counted[*group, before[result.flow_id], result.outcome] += 1
    changes: list[Document] = []
    for scenario, kind, old, new in sorted(counted):
        count, total = counted[scenario, kind, old, new], totals[scenario, kind]
        low, high = interval_ppm(count, total)
        changes.append(
            {
                "scenario": scenario,
                "name": kind[0],
                "version": kind[1],
                "before": old,
                "after": new,
                "flows": count,
                "n": total,
                "low_ppm": low,
                "high_ppm": high,
            }
        )
    return changes


def interval_ppm(count: int, total: int) -> tuple[int, int]:
    """Wilson's 95 % interval of a share, in millionths; decimal, so that no machine differs."""
    n, share = Decimal(total), Decimal(count) / Decimal(total)
    square = Z_95 * Z_95
    middle = share + square / (2 * n)
    spread = Z_95 * ((share * (1 - share) + square / (4 * n)) / n).sqrt()
    scale = PPM / (1 + square / n)
    return max(0, int((middle - spread) * scale)), min(PPM, int((middle + spread) * scale) + 1)
