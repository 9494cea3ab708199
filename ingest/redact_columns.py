"""Redaction of whole columns: only texts that could hold a secret are looked at one by one."""

import re

import polars as pl

from ingest import redaction_rules as rules
from ingest.redact import Redactor
from ingest.redact_text import SHORT_CHARS

# Letters that become ASCII when lowered: a text with one is always looked at.
_LOWERED = ("\u212a", "\u0130")
_SHAPES = [
    "-----BEGIN",
    "bearer",
    "basic",
    "eyJ",
    "@",
    "%40",
    *rules.VENDOR_HINTS,
    *_LOWERED,
]
_NAMES = [*rules.NAME_HINTS, *rules.NAME_HINTS_RARE]
_PAIRED = r"""["'=:]"""
_DIGITS = r"\d(?:[ -]?\d){12}"
_BEGINNINGS = "|".join(map(re.escape, ("-----BEGIN", "eyJ", "%40", *rules.VENDOR_HINTS)))
_MARKS = rf"""["'=:@\\\x00-\x1f]|(?i:bearer|basic)|{_BEGINNINGS}|{_DIGITS}"""


def marked(texts: pl.Series) -> pl.Series:
    """Places of texts that need a second look: JSON would escape them, or a secret may be there.

    One search for all that the finer ones begin with: most texts hold none of it.
    """
    return texts.str.contains(_MARKS).arg_true()


def suspicious(texts: pl.Series, redactor: Redactor) -> pl.Series:
    """Whether a text could hold a secret; where this is false, the redactor changes nothing."""
    if redactor.has_own_shapes:
        return texts.is_not_null()
    text = pl.col("text")
    shaped = text.str.contains_any(_SHAPES, ascii_case_insensitive=True)
    named = text.str.contains(_PAIRED)
    if not redactor.has_own_names:
        named = text.str.contains_any(_NAMES, ascii_case_insensitive=True) & named
    query = text.str.contains("=", literal=True) & text.str.contains("[?&]")
    other = query | text.str.contains(_DIGITS)
    long = text.str.len_bytes() >= SHORT_CHARS
    found = (
        texts.alias("text").to_frame().select((long & (shaped | named | other)).fill_null(False))
    )
    return found.to_series()


def looked_at(texts: pl.Series, redactor: Redactor) -> pl.Series:
    """Places of the texts that the redactor has to look at one by one."""
    if redactor.has_own_shapes:
        return texts.is_not_null().arg_true()
    places = marked(texts)
    return places.filter(suspicious(texts.gather(places), redactor))


def redacted(texts: pl.Series, redactor: Redactor | None) -> pl.Series:
    """The column without its secrets."""
    if redactor is None:
        return texts
    places = looked_at(texts, redactor)
    return replaced(texts, places, redactor.texts(texts.gather(places).to_list()))


def replaced(texts: pl.Series, places: pl.Series, found: list[str]) -> pl.Series:
    """The column with other texts at some places."""
    if not found:
        return texts
    index = pl.Series("at", range(0), dtype=pl.UInt32).extend_constant(None, texts.len())
    index = index.scatter(places, pl.int_range(len(found), dtype=pl.UInt32, eager=True))
    new = pl.Series("new", found, dtype=pl.String).gather(index)
    frame = pl.DataFrame({"old": texts, "new": new, "at": index})
    chosen = pl.when(pl.col("at").is_not_null()).then(pl.col("new")).otherwise(pl.col("old"))
    return frame.select(chosen).to_series()
