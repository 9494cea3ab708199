"""Whether flows take the steps that are declared of them, all of them, in their order.

Token replay of process mining (van der Aalst, Process Mining, 2016, chapter 8) for the simple case
of a sequence with steps that may be left out: what is missing from a flow that succeeded or went on
without it, what ran without being declared, what ran too early. A failed flow may stop anywhere.
"""

from collections.abc import Iterator, Mapping

from analyzer.conformance.report import Answer, Ask, Report, Rows, span_evidence, verdict_of
from analyzer.conformance.settings import ConformanceSettings

COLUMNS = ("flow", "flows", "departure", "step", "other", "affected_flows", "example_flow")
TOTALS = ("", "any", "any not seen")


def _asks(settings: ConformanceSettings) -> Mapping[str, Ask]:
    rows = list(_declared(settings))
    return {
        "declared_flows": (
            "declared_flows",
            {
                "names": [name for name, *_ in rows],
                "steps": [step for _, step, *_ in rows],
                "places": [place for _, _, place, *_ in rows],
                "optional": [optional for *_, optional, _ in rows],
                "undoing": [undoing for *_, undoing in rows],
            },
        )
    }


def _declared(settings: ConformanceSettings) -> Iterator[tuple[str, str, int, bool, bool]]:
    for name, flow in sorted(settings.declared.items()):
        for place, step in enumerate(flow.steps):
            yield name, step.name, place, step.optional, False
            if step.compensated_by is not None:
                yield name, step.compensated_by, place, True, True


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    rows = answers["declared_flows"]
    flows = {row["name"]: row["flows"] for row in rows if row["fault"] == ""}
    astray = sum(row["flows"] for row in rows if row["fault"] == "any")
    unseen = sum(row["flows"] for row in rows if row["fault"] == "any not seen")
    checked = sum(flows.values())
    declared = bool(settings.declared)
    departures = [row for row in rows if row["fault"] not in TOTALS]
    if not declared:
        said = "no flow is declared ([declared.NAME])"
    elif not checked:
        said = f"no flow is called {' or '.join(sorted(settings.declared))}"
    else:
        said = f"{astray} of {checked} flows left the declared steps"
        if unseen:
            said += f"; of {unseen} spans are missing, so a step may have run unseen"
    return Answer(
        verdict=verdict_of(declared=declared, checked=checked, violations=astray, unknown=unseen),
        message=said,
        declared=declared,
        checked=checked,
        unknown=unseen,
        columns=COLUMNS,
        rows=[
            {
                "flow": row["name"],
                "flows": flows[row["name"]],
                "departure": row["fault"],
                "step": row["step"],
                "other": row["other"] or None,
                "affected_flows": row["flows"],
                "example_flow": row["example"],
            }
            for row in sorted(
                departures, key=lambda row: (-row["flows"], row["fault"], row["step"])
            )
        ],
        evidence=span_evidence(departures),
    )


REPORT = Report(
    name="declared_flows",
    title="Flows against their declaration",
    asks=_asks,
    judge=_judge,
)
