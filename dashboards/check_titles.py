"""What the short names of checks mean, in the words of the checks themselves."""

from functools import cache

from analyzer.sagas.verify import checks


def titled(name: str) -> str:
    """`S11: the idempotency key is stable over attempts`; a detector's name without its dashes."""
    title = _titles().get(name)
    return f"{name}: {title}" if title else name.replace("_", " ")


def broken(name: str) -> str:
    """`S11 broken: "each step is undone at most once"`; a detector's words as they are."""
    title = _titles().get(name)
    return f'{name} broken: "{title}"' if title else name.replace("_", " ")


@cache
def _titles() -> dict[str, str]:
    return {check.id: check.title for check in checks()}
