"""How many actions have a decision behind them, and how many decisions say what they led to."""

from collections.abc import Sequence

from analyzer.oversight.joined import effects
from analyzer.oversight.measure import Case, Measure, Metric, share

NAME = "log_completeness"


def _measure(case: Case) -> Sequence[Measure]:
    kinds = {it.flow.name for it in case.decisions if it.flow is not None}
    owned: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    first_ns: dict[str, int] = {}
    for it in case.decisions:
        if it.flow is not None:
            flow_id, made_ns = it.flow.flow_id, it.decision.time_ns
            first_ns[flow_id] = min(first_ns.get(flow_id, made_ns), made_ns)
            owned.setdefault(flow_id, set()).update(step.step_id for step in it.steps)
            names.setdefault(it.flow.name, set()).update(_name(step) for step in it.steps)
    hits = n = unknown = 0
    for flow in case.flows:
        if flow.name not in kinds:
            continue
        for step in effects(flow):
            if _name(step) not in names.get(flow.name, set()):
                continue
            if not flow.complete:
                unknown += 1
                continue
            n += 1
            begun = first_ns.get(flow.flow_id)
            after = begun is not None and step.start_ns >= begun
            hits += after or step.step_id in owned.get(flow.flow_id, set())
    told = [it for it in case.decisions if it.acted is not None]
    without = sum(it.named and it.acted is False for it in told)
    return [
        share(
            f"{NAME}.actions", hits, n, unknown,
            note="a decision came before, of actions that follow one in some flow of the kind",
        ),
        share(
            f"{NAME}.decisions", len(told) - without, len(told), len(case.decisions) - len(told),
            note="with an action that is in the flow, or none and nothing was carried out",
        ),
    ]  # fmt: skip


def _name(step: object) -> str:
    return str(getattr(step, "saga_step", None) or getattr(step, "name", ""))


METRIC = Metric(
    name=NAME, title="actions with a decision; decisions with an action", measure=_measure
)
