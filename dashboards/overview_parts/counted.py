"""What the flows in scope amount to: how many, violated checks, effects, decisions, replays."""

import polars as pl

from dashboards.components.cards import Card
from dashboards.summary import Health
from dashboards.wording import amount_text, count_text, plural, share_text


def counted_cards(numbers: Health, effects: pl.DataFrame, times: pl.DataFrame) -> list[Card]:
    """The second row; replays only where there are some."""
    good, checked = numbers.ended_well, numbers.violations
    below, same = numbers.below_threshold, numbers.identical
    flows = plural(numbers.flows, "flow")
    cards = [
        Card(
            title="Flows",
            value=count_text(numbers.flows),
            scope=f"{good.whole:,} ended, {good.unknown:,} open or unknown",
            link=f"All {flows}",
            trend=times["flows"].to_list(),
        ),
        Card(
            title="✖ Saga violations",
            value=count_text(checked.part) if checked.whole else "–",
            scope=f"flows, of {checked.whole:,} checked; {numbers.suspected:,} suspected, "
            f"{checked.unknown:,} unsettled",
            link=plural(checked.part, "flow") if checked.part else "",
            target={"verdict": "violation"},
            trend=times["violated"].to_list() if checked.whole else (),
        ),
        Card(
            title="Effects left standing",
            value=count_text(numbers.effects) if checked.whole else "–",
            scope=_effects_scope(numbers, effects),
            link=plural(numbers.flows_with_effects, "flow") if numbers.flows_with_effects else "",
            target={"with": "effects left standing"},
            trend=times["effects"].to_list() if checked.whole else (),
        ),
        Card(
            title="AI below threshold",
            value=count_text(below.part) if below.whole else "–",
            scope=f"of {plural(below.whole, 'decision')} with confidence and threshold; "
            f"{below.unknown:,} without",
            link="Their flows" if below.part else "",
            target={"with": "AI below threshold"},
            trend=times["below"].to_list() if below.whole else (),
        ),
    ]
    if same.whole:
        other = same.whole - same.part
        cards.append(
            Card(
                title="Replays identical",
                value=share_text(same.part, same.whole),
                scope=f"{same.part:,} of {plural(same.whole, 'replayed flow')}",
                link=f"{other:,} not identical" if other else "",
                target={"with": "replay not identical"},
            )
        )
    return cards


def _effects_scope(numbers: Health, effects: pl.DataFrame) -> str:
    unknown = numbers.violations.unknown
    unsettled = f"; {unknown:,} flows unsettled" if unknown else ""
    if not numbers.effects:
        return f"in {numbers.violations.whole:,} checked flows{unsettled}"
    flows = plural(numbers.flows_with_effects, "flow")
    return f"{_amounts(effects)}; never undone, or undone and not due, in {flows}{unsettled}"


def _amounts(effects: pl.DataFrame) -> str:
    told = effects.drop_nulls("amount")
    sums = [amount_text(row["amount"], row["currency"]) for row in told.iter_rows(named=True)]
    silent = int(effects["effects"].sum()) - int(effects["told"].sum())
    unknown = f", {silent:,} without an amount" if silent and sums else ""
    return " + ".join(sums) + unknown if sums else "no amounts recorded"
