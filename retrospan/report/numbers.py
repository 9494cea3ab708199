"""Numbers in the form a report may use: with their n, and "no data" where there is none."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import LiteralString

from retrospan.canonical import money
from retrospan.text import Words
from store.conclusions import ResidualEffect


def share(part: int, whole: int) -> Words:
    """`12.5 %`, rounded half up by integers; without a whole there is no share."""
    if whole == 0:
        return Words("no data")
    tenths = (part * 2_000 + whole) // (2 * whole)
    return Words(f"{tenths // 10}.{tenths % 10} %")


def of(part: int, whole: int) -> Words:
    """`3 of 24 (12.5 %)`."""
    return Words(f"{part} of {whole} ({share(part, whole)})" if whole else "no data (n = 0)")


def percent(value: Fraction | None) -> Words:
    """`12.5 %`, rounded half up; None is no data."""
    return Words("no data" if value is None else f"{decimal(value * 100)} %")


def times(value: Fraction | None) -> Words:
    """`4.2 times`; None is no data."""
    return Words("no data" if value is None else f"{decimal(value)} times")


def decimal(value: Fraction) -> Words:
    """One digit after the point, rounded half away from zero, by integers."""
    size = abs(value)
    tenths = (size.numerator * 20 + size.denominator) // (2 * size.denominator)
    sign = "-" if value < 0 and tenths else ""
    return Words(f"{sign}{tenths // 10}.{tenths % 10}")


def plural(count: int, one: LiteralString, many: LiteralString = "") -> Words:
    """`1 flow`, `2 flows`."""
    return Words(f"{count} {one if count == 1 else many or one + 's'}")


def totals(effects: Iterable[ResidualEffect]) -> dict[str, Decimal]:
    """Sum per currency; amounts without a currency are left out, they do not add up."""
    sums: dict[str, Decimal] = {}
    for effect in effects:
        if effect.amount is not None and effect.currency:
            sums[effect.currency] = sums.get(effect.currency, Decimal(0)) + effect.amount
    return dict(sorted(sums.items()))


def totals_text(effects: Sequence[ResidualEffect]) -> str:
    """`120.00 EUR + 40.00 USD`, and how many effects have no stated amount."""
    sums = totals(effects)
    silent = sum(effect.amount is None or not effect.currency for effect in effects)
    text = " + ".join(f"{money(amount)} {currency}" for currency, amount in sums.items())
    if silent and text:
        return f"{text} and {plural(silent, 'effect')} without a recorded amount"
    return text or Words("no recorded amount" if silent else "nothing")
