"""What bad traces touch and good ones do not: Ochiai's coefficient."""

from math import sqrt

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.telemetry import Case


def find(case: Case) -> list[Clue] | None:
    """Services, operations and values by ef / sqrt((ef + nf)(ef + ep)) over the incident's traces.

    Only what is in some bad traces and not in all traces tells anything.
    """
    touched: dict[str, set[tuple[str, str, str]]] = {}
    for call in case.incident.calls:
        things = touched.setdefault(call.trace_id, set())
        service = call.callee or call.service
        things.add(("service", service, service))
        things.add(("operation", f"{service} {call.operation}", service))
        things.update(
            ("attribute", f"{call.service} {name}={value}", call.service)
            for name, value in call.where
            if " " not in name  # a policy or setting: a kind of its own
        )
    bad = {trace for trace in touched if trace in case.bad}
    if not bad or len(bad) == len(touched):
        return None
    in_bad: dict[tuple[str, str, str], int] = {}
    in_good: dict[tuple[str, str, str], int] = {}
    for trace, things in touched.items():
        counts = in_bad if trace in bad else in_good
        for thing in things:
            counts[thing] = counts.get(thing, 0) + 1
    clues = []
    chance = sqrt(len(bad) / len(touched))
    for thing, failed in sorted(in_bad.items()):
        passed = in_good.get(thing, 0)
        score = failed / sqrt(len(bad) * (failed + passed))
        if score > chance:
            kind, name, service = thing
            clues.append(
                Clue(
                    kind=kind,
                    name=name,
                    service=service,
                    # what is in every trace scores `chance`: only what is above that tells
                    value=(score - chance) / (1 - chance),
                    n=failed + passed,
                    detail=f"in {failed} of {len(bad)} bad traces and {passed} of "
                    f"{len(touched) - len(bad)} good ones (Ochiai {score:.2f})",
                )
            )
    return clues


PART = Part(
    name="spectrum",
    weight=0.4,
    source="Ochiai: ef / sqrt((ef + nf)(ef + ep)); Abreu et al., PRDC 2006",
    find=find,
)
