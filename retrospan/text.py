"""Text from data, made safe for the place it is shown in.

Recorded names and messages are written by strangers. A terminal obeys escape sequences, a
spreadsheet obeys formulas, a Markdown page obeys markup: each gets its own neutral form, and the
reader can always see what was there.
"""

import re
import unicodedata

# Cc controls, Cf formats (bidi overrides, zero-width), Zl/Zp separators, Cs surrogates.
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CELL_CHARS_MAX = 200
PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")


class Words(str):
    """Text that our own code made of numbers and fixed words; only this is shown unmarked.

    Any operation on it gives a plain `str` again, which counts as data: forgetting is safe.
    """

    __slots__ = ()


def visible(value: object) -> str:
    """The text with every control, direction and other invisible character spelled out."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(char) for char in text)


def _spelled(char: str) -> str:
    if unicodedata.category(char) not in HIDDEN_CATEGORIES:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shortened(text: str, chars_max: int = CELL_CHARS_MAX) -> str:
    """The text, cut at `chars_max` with an ellipsis that says so."""
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"


def csv_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    text = "" if value is None else visible(value)
    if text.startswith(FORMULA_STARTS) and not PLAIN_NUMBER.match(text):
        return "'" + text
    return text


def markdown_code(value: object) -> str:
    """A Markdown code span: inside one, nothing is markup, a link or a mention."""
    text = visible(value)
    if not text:
        return "(empty)"
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def markdown_cell(value: object) -> str:
    """A code span for a table cell, where a bar would end the cell even inside code."""
    return markdown_code(value).replace("|", "\\|")
