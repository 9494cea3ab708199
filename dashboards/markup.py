"""HTML pieces made of escaped parts: what was recorded can be shown, never run."""

from collections.abc import Iterable
from html import escape

from dashboards.wording import clean, shortened

CELL_LENGTH_MAX = 4_000
STATEMENTS_MAX = 6

# Tone: border and background; text keeps the page's colour, so both themes stay readable.
_TONES = {
    "error": ("#D55E00", "rgba(213,94,0,.16)"),
    "warn": ("#E69F00", "rgba(230,159,0,.18)"),
    "ok": ("#009E73", "rgba(0,158,115,.16)"),
    "undo": ("#AA4499", "rgba(170,68,153,.16)"),
    "info": ("#56B4E9", "rgba(86,180,233,.16)"),
    "neutral": ("#8A8F98", "rgba(138,143,152,.14)"),
}

# Words of outcomes and verdicts, with icon and tone: colour never stands alone.
LOOKS = {
    "succeeded": ("✔", "ok"),
    "failed": ("✖", "error"),
    "compensated": ("↩", "undo"),
    "partially_compensated": ("◐", "warn"),
    "compensation_failed": ("⚠", "error"),
    "in_progress": ("…", "info"),
    "violation": ("✖", "error"),
    "suspected": ("◐", "warn"),
    "open": ("…", "info"),
    "pass": ("✔", "ok"),
    "not_applicable": ("–", "neutral"),
    "unknown": ("?", "neutral"),
    "ok": ("✔", "ok"),
    "error": ("✖", "error"),
    "timeout": ("⏱", "error"),
    "cancelled": ("⊘", "warn"),
    "unset": ("·", "neutral"),
    "identical": ("✔", "ok"),
    "equivalent": ("≈", "ok"),
    "diverged": ("✖", "error"),
    "unreplayable": ("?", "neutral"),
    "critical": ("✖", "error"),
    "warning": ("◐", "warn"),
    "info": ("i", "info"),
}


def worded(word: str) -> str:
    """A word of ours with its icon, for tables: `✖ compensation failed`."""
    icon, _ = LOOKS.get(word, ("", "neutral"))
    return f"{icon} {word.replace('_', ' ')}".strip()


def chip(text: str, *, tone: str = "neutral", title: str = "", icon: str = "") -> str:
    """A small labelled box."""
    border, ground = _TONES[tone]
    style = (
        f"display:inline-block;margin:0 6px 6px 0;padding:1px 9px;border-radius:10px;"
        f"border:1px solid {border};background:{ground};font-size:.85rem;line-height:1.5"
    )
    shown = f"{icon} {text}" if icon else text
    return f'<span style="{style}" title="{_safe(title)}">{_safe(shown)}</span>'


def word_chip(word: str, *, label: str = "", title: str = "") -> str:
    """A chip for an outcome or verdict, in its tone."""
    icon, tone = LOOKS.get(word, ("", "neutral"))
    text = word.replace("_", " ")
    return chip(f"{label} {text}".strip(), tone=tone, title=title, icon=icon)


def stated(word: str, about: str) -> str:
    """A verdict or severity, then what it is about."""
    return f"{word_chip(word)}<b>{_safe(about)}</b>"


def heading(text: str, *, above: str = "", size_rem: str = "1.6") -> str:
    """A heading from recorded text."""
    small = f'<div style="opacity:.75;font-size:.85rem">{_safe(above)}</div>' if above else ""
    style = f"font-size:{size_rem}rem;font-weight:650;line-height:1.25;overflow-wrap:anywhere"
    return f'{small}<div role="heading" aria-level="2" style="{style}">{_safe(text)}</div>'


def notes(texts: Iterable[str], *, tone: str = "neutral") -> str:
    """A block of lines with a coloured edge."""
    border, ground = _TONES[tone]
    lines = "".join(f"<div>{_safe(text)}</div>" for text in texts)
    style = f"border-left:4px solid {border};background:{ground};padding:4px 12px;font-size:.9rem"
    return f'<div style="{style};overflow-wrap:anywhere">{lines}</div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names with their values, side by side. Texts wrap and can be selected."""
    name = "opacity:.75;overflow-wrap:anywhere;font-weight:400;margin:0;padding:0"
    value = "overflow-wrap:anywhere;white-space:pre-wrap;margin:0;padding:0;min-width:0"
    rows = "".join(
        f'<dt style="{name}">{_safe(key)}</dt>'
        f'<dd style="{value}">{_safe(shortened(text, CELL_LENGTH_MAX))}</dd>'
        for key, text in pairs
    )
    style = (
        "display:grid;grid-template-columns:fit-content(38%) 1fr;gap:3px 14px;"
        "font-size:.85rem;margin:0;padding:0"
    )
    return f'<dl style="{style}">{rows}</dl>'


def message(text: str, *, tone: str = "neutral", remedy: str = "") -> str:
    """What a check or detector says, one statement a line, the first ones when there are many."""
    said = clean(text).split("; ")
    more = len(said) - STATEMENTS_MAX
    lines = said[:STATEMENTS_MAX] + ([f"… and {more} more statements"] if more > 0 else [])
    return notes([*lines, f"What to do: {remedy}"] if remedy else lines, tone=tone)


def line(texts: Iterable[str]) -> str:
    """Short facts on one line, parted by dots."""
    return f'<div style="overflow-wrap:anywhere">{_safe(" · ".join(texts))}</div>'


def _safe(text: str) -> str:
    return escape(clean(text), quote=True)
