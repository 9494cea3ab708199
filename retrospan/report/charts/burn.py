"""How fast an error budget burned."""

from fractions import Fraction
from html import escape

from analyzer.slo.budget import burn_rate, sli
from analyzer.slo.evaluate import SloReport
from analyzer.slo.timeline import Timeline
from retrospan.report import bases
from retrospan.report.charts.drawing import HEIGHT, LEFT, TOP, WIDTH, axes, drawn, shaded
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Chart, EvidenceLog
from retrospan.report.numbers import decimal
from retrospan.timespan import humane, utc

POINTS = 60


def burn_chart(
    facts: IncidentFacts, one: SloReport, line: Timeline, log: EvidenceLog
) -> Chart | None:
    """The burn rate over the long window of the first alert rule, at sixty times; a gap where no
    flow ended. The dashed line is the rule's threshold. None where nothing burned."""
    if not line.times or not one.slo.rules:
        return None
    rule = one.slo.rules[0]
    low, high = line.times[0], line.times[-1]
    if high <= low:
        return None
    times = [low + (high - low) * place // POINTS for place in range(1, POINTS + 1)]
    found = [
        sli(line, one.slo.method, one.objective, at_ns + 1 - rule.long_ns, at_ns + 1)
        for at_ns in times
    ]
    burns = [burn_rate(it.value, one.objective) for it in found]
    if not any(burns):
        return None
    name = f"{one.slo.title or one.slo.name} / {one.objective.name}"
    caption = (
        f"Burn rate over {humane(rule.long_ns)} (1 spends the budget exactly; the "
        f"{rule.severity} alert is at {decimal(rule.threshold)}): {name}"
    )
    table = log.table(
        Basis(
            question="burn rate of the objective over time",
            parameters={
                **bases.window(facts),
                "slo": one.slo.name,
                "objective": one.objective.name,
                "long_ns": rule.long_ns,
            },
            data=[[event.at_ns, event.good, str(event.weight)] for event in line.events],
        ),
        caption,
        ["time (UTC)", "burn rate", "flows (n)"],
        [
            [utc(at_ns, 0), "–" if burn is None else decimal(burn), it.flows]
            for at_ns, burn, it in zip(times, burns, found, strict=True)
        ],
    )
    return Chart(svg=_line(caption, times, burns, rule.threshold, facts), table=table)


def _line(
    caption: str,
    times: list[int],
    burns: list[Fraction | None],
    threshold: Fraction,
    facts: IncidentFacts,
) -> str:
    top = max([threshold, Fraction(1), *(burn for burn in burns if burn is not None)])
    base, width = HEIGHT - 30, WIDTH - LEFT - 8
    step = width // len(times)

    def height(burn: Fraction) -> int:
        return base - int(burn * (base - TOP) / top)

    low, high = times[0], times[-1]
    parts = [
        shaded(
            LEFT + _clamped(facts.incident.start_ns, low, high, step * len(times)),
            LEFT + _clamped(facts.incident.end_ns, low, high, step * len(times)),
        )
    ]
    path, joined = "", False
    for place, burn in enumerate(burns):
        if burn is not None:
            path += f"{'L' if joined else 'M'}{LEFT + place * step} {height(burn)}h{step}"
        joined = burn is not None
    level = height(threshold)
    parts += [
        f'<path class="limit" d="M{LEFT} {level}H{WIDTH - 8}"/>',
        f'<text x="{WIDTH - 8}" y="{level - 4}" text-anchor="end">alert</text>',
        f'<path class="line" d="{path}"/>',
        *axes(str(decimal(top)), utc(low, 0), utc(high, 0)),
        f'<text x="{LEFT}" y="16">{escape("burn rate")}</text>',
    ]
    return drawn(caption, HEIGHT, parts, [])


def _clamped(moment: int, low: int, high: int, width: int) -> int:
    return max(0, min(width, (moment - low) * width // (high - low)))
