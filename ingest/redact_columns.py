"""Redaction of whole columns: only texts that could hold a secret are looked at one by one."""

import re

import polars as pl

from ingest import redaction_rules as rules
from ingest.redact import Redactor
from ingest.redact_text import SHORT_CHARS

# Below this many, looking at each costs less than finding out which ones to look at.
FEW = 32

_PAIRED = r"""["'=:]"""
_DIGITS = r"\d(?:[ -]?\d){12}"
_BEGINNINGS = "|".join(map(re.escape, ("-----BEGIN", "eyJ", "%40", *rules.VENDOR_HINTS)))
_MARKS = rf"""["'=:@\\\x00-\x1f]|(?i:bearer|basic)|{_BEGINNINGS}|{_DIGITS}"""
# Letters that become ASCII when lowered: a text with one is always looked at.
_SHAPES = rf"(?i:@|bearer|basic|{_BEGINNINGS})|[\x{{212a}}\x{{130}}]|{_DIGITS}"
_NAMES = rf"(?i:{'|'.join((*rules.NAME_HINTS, *rules.NAME_HINTS_RARE))})"


def marked(texts: pl.Series) -> pl.Series:
    """Places of texts that need a second look: JSON would escape them, or a secret may be there.

    One search for all that the finer ones begin with: most texts hold none of it.
    """
    return texts.str.contains(_MARKS).arg_true()


def suspicious(texts: pl.Series, redactor: Redactor) -> pl.Series:
    """Whether a text could hold a secret; where this is false, the redactor changes nothing."""
    if redactor.has_own_shapes or texts.len() < FEW:
        return texts.is_not_null()
    text = pl.col("text")
    named = text.str.contains(_PAIRED)
    if not redactor.has_own_names:
        named = named & text.str.contains(_NAMES)
    query = text.str.contains("=", literal=True) & text.str.contains("[?&]")
    long = text.str.len_bytes() >= SHORT_CHARS
    found = long & (text.str.contains(_SHAPES) | named | query)
    return texts.alias("text").to_frame().select(found.fill_null(False)).to_series()


def looked_at(texts: pl.Series, redactor: Redactor) -> pl.Series:
    """Places of the texts that the redactor has to look at one by one."""
    if redactor.has_own_shapes:
        return texts.is_not_null().arg_true()
    places = marked(texts)
    return places.filter(suspicious(texts[places], redactor))


def redacted(texts: pl.Series, redactor: Redactor | None) -> pl.Series:
    """The column without its secrets."""
    if redactor is None:
        return texts
    places = looked_at(texts, redactor)
    return replaced(texts, places, redactor.texts(texts[places].to_list()))


def replaced(texts: pl.Series, places: pl.Series, found: list[str]) -> pl.Series:
    """The column with other texts at some places, none of them twice."""
    if not found:
        return texts
    end = texts.len()
    index = pl.int_range(end, dtype=pl.UInt32, eager=True)
    index = index.scatter(places, pl.int_range(end, end + len(found), dtype=pl.UInt32, eager=True))
    return pl.concat([texts, pl.Series(found, dtype=pl.String)], rechunk=False)[index]
