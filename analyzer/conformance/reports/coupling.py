"""The coupling matrix: who calls whom how often, in both directions or round in circles.

Services that call each other in a circle can neither be deployed nor fail apart (the acyclic
dependencies principle of R. C. Martin, over services instead of packages).
"""

from collections.abc import Mapping, Sequence

from analyzer.conformance.report import Answer, Report, Rows, share, span_evidence, verdict_of
from analyzer.conformance.settings import ConformanceSettings

COLUMNS = (
    "caller", "callee", "calls", "messages", "share_of_calls", "flows", "share_of_callers_flows",
    "calls_per_flow_median", "calls_per_flow_most", "operations", "cycle",
)  # fmt: skip


def circles(pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Services that reach themselves by calls, with the number of their circle.

    Strongly connected components (S. R. Kosaraju's two walks), numbered by their first name.
    """
    forth: dict[str, list[str]] = {}
    back: dict[str, list[str]] = {}
    for caller, callee in sorted(pairs):
        forth.setdefault(caller, []).append(callee)
        forth.setdefault(callee, [])
        back.setdefault(callee, []).append(caller)
        back.setdefault(caller, [])
    seen: set[str] = set()
    finished: list[str] = []
    for name in sorted(forth):
        finished += _walk(name, forth, seen)
    seen = set()
    groups = [_walk(name, back, seen) for name in reversed(finished) if name not in seen]
    rings = sorted(sorted(group) for group in groups if len(group) > 1)
    return {name: number for number, ring in enumerate(rings, 1) for name in ring}


def _walk(start: str, edges: Mapping[str, Sequence[str]], seen: set[str]) -> list[str]:
    """What is reached from `start` and was not seen, in the order it is left."""
    left: list[str] = []
    stack = [(start, 0)] if start not in seen else []
    seen.add(start)
    while stack:
        name, at = stack.pop()
        following = next(
            (place for place in range(at, len(edges[name])) if edges[name][place] not in seen), None
        )
        if following is None:
            left.append(name)
            continue
        stack.append((name, following + 1))
        seen.add(edges[name][following])
        stack.append((edges[name][following], 0))
    return left


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    pairs = answers["pairs"]
    circle_of = circles([(row["caller"], row["callee"]) for row in pairs])
    calls = sum(row["calls"] for row in pairs)

    def circle(row: Mapping[str, object]) -> int | None:
        one, other = circle_of.get(str(row["caller"])), circle_of.get(str(row["callee"]))
        return one if one is not None and one == other else None

    inside = [row for row in pairs if circle(row) is not None]
    rings = len(set(circle_of.values()))
    return Answer(
        verdict=verdict_of(
            declared=settings.forbid_cycles, checked=len(pairs), violations=rings, unknown=0
        ),
        message=f"{len(pairs)} pairs of services, {calls} calls, {rings} circles of services that "
        "call each other",
        declared=settings.forbid_cycles,
        checked=len(pairs),
        unknown=0,
        columns=COLUMNS,
        rows=[
            {
                "caller": row["caller"],
                "callee": row["callee"],
                "calls": row["calls"],
                "messages": row["messages"],
                "share_of_calls": share(row["calls"], calls),
                "flows": row["flows"],
                "share_of_callers_flows": share(row["flows"], row["flows_of_caller"]),
                "calls_per_flow_median": row["median"],
                "calls_per_flow_most": row["most"],
                "operations": row["operations"],
                "cycle": circle(row),
            }
            for row in sorted(pairs, key=lambda row: (-row["calls"], row["caller"], row["callee"]))
        ],
        evidence=span_evidence(inside) if settings.forbid_cycles else (),
    )


REPORT = Report(
    name="coupling",
    title="Coupling of services",
    asks=lambda settings: {"pairs": ("pairs", {})},
    judge=_judge,
)
