"""Which versions, instances, policies, models and flags bad traces bear and good ones do not."""

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.telemetry import Case
from analyzer.statistics.tables import benjamini_hochberg, fisher_exact

Q_MAX = 0.05
KINDS = {"version": "version", "instance": "attribute"}


def find(case: Case) -> list[Clue] | None:
    """Each value borne by more of the bad traces than of the good, under control of the false
    discovery rate; the value of a clue is the difference of the two shares. Traces that bear no
    value of a name say nothing of it: a call that was not repeated kept no key, and changed none.
    """
    bearers: dict[tuple[str, str, str], set[str]] = {}
    telling: dict[tuple[str, str], set[str]] = {}
    traces: dict[str, set[str]] = {}
    for call in case.incident.calls:
        traces.setdefault(call.service, set()).add(call.trace_id)
        for name, value in call.where:
            bearers.setdefault((call.service, name, value), set()).add(call.trace_id)
            telling.setdefault((call.service, name), set()).add(call.trace_id)
    touched = set().union(*traces.values()) if traces else set()
    bad = touched & case.bad
    if not bearers or not bad or bad == touched:
        return None
    tables = []
    for key, having in sorted(bearers.items()):
        mine = telling[key[:2]]
        counts = (len(having & bad), len(mine & bad), len(having - bad), len(mine - bad))
        if counts[1] and counts[3] and len(having) < len(mine):
            tables.append((key, counts))
    chances = [fisher_exact(a, b - a, c, d - c) for _, (a, b, c, d) in tables]
    clues = []
    for (key, (a, b, c, d)), q in zip(tables, benjamini_hochberg(chances), strict=True):
        more = a / b - c / d
        if q <= Q_MAX and more > 0:
            service, name, value = key
            kind = KINDS.get(name, name.partition(" ")[0])
            clues.append(
                Clue(
                    kind="version" if kind == "flow" else kind,
                    name=f"{service} {value}" if name in KINDS else f"{name} {value}",
                    service=service,
                    value=more,
                    n=b + d,
                    detail=f"{name} {value} in {a} of {b} bad traces and {c} of {d} good ones "
                    f"(q {q:.1e})",
                )
            )
    return clues


PART = Part(
    name="contrast",
    weight=0.6,
    source="Fisher 1922; Benjamini and Hochberg 1995",
    find=find,
)
