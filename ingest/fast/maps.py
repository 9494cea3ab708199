"""Attribute maps as JSON texts, many at once, as `store.values` writes each."""

from dataclasses import dataclass

import msgspec
import polars as pl

from ingest import conventions
from ingest.fast.flat import FlatMap, OddError
from ingest.limits import Limits
from ingest.redact import Redactor
from ingest.redact_columns import replaced, suspicious
from ingest.redact_text import PLAIN
from store.model import AttributeValue
from store.values import to_json

_ESCAPED = r'["\\\x00-\x1f]'
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Maps:
    """One JSON text for each owner; `frame` has a row per kept attribute: owner, name, values."""

    texts: pl.Series
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Names:
    """What is to be known of every key, by its place among the sorted keys."""

    keys: pl.Series
    names: pl.Series
    heads: pl.Series
    rules: pl.Series


def maps_of(flat: FlatMap, count: int, redactor: Redactor | None, limits: Limits) -> Maps:
    """The maps of `count` owners; raises OddError for what needs the walk over records."""
    if flat.key.is_empty():
        empty = pl.Series("texts", ["{}"]).new_from_index(0, count)
        return Maps(empty, _frame(flat, flat.key, flat.text).clear())
    lengths = flat.owner.value_counts()["count"].max()
    longest = flat.text.str.len_chars().max()
    if int(str(lengths)) > limits.attributes_per_record:
        raise OddError
    if longest is not None and int(str(longest)) > limits.attribute_chars:
        raise OddError
    names = _names_of(flat.key, redactor)
    code = flat.key.replace_strict(
        names.keys, pl.int_range(names.keys.len(), eager=True), return_dtype=pl.Int64
    )
    text, encoded = _texts(flat, names.rules.gather(code), redactor)
    frame = _frame(flat, names.names.gather(code), text).with_columns(
        (names.heads.gather(code) + encoded).alias("piece"),
        (flat.owner.cast(pl.Int64) * names.keys.len() + code).alias("order"),
    )
    frame = frame.sort("order", maintain_order=True)
    if (
        frame["order"].is_first_distinct().sum() != frame.height
    ):  # of a repeated key the last counts
        frame = frame.unique("order", keep="last", maintain_order=True)
    joined = frame.group_by("owner", maintain_order=True).agg(pl.col("piece").str.join(","))
    index = pl.DataFrame({"owner": pl.int_range(count, dtype=pl.Int64, eager=True)})
    whole = index.join(joined, on="owner", how="left", maintain_order="left")
    body = pl.concat_str(pl.lit("{"), pl.col("piece").fill_null(""), pl.lit("}"))
    return Maps(whole.select(body).to_series(), frame.drop("piece", "order"))


def _frame(flat: FlatMap, name: pl.Series, text: pl.Series) -> pl.DataFrame:
    return pl.DataFrame(
        {"owner": flat.owner.cast(pl.Int64), "name": name, "text": text, "whole": flat.whole}
    )


def _names_of(keys: pl.Series, redactor: Redactor | None) -> _Names:
    known = keys.unique().to_list()
    rules = {key: redactor.rule(key) if redactor else (PLAIN, key) for key in known}
    known.sort(key=lambda key: rules[key][1])
    names = [rules[key][1] for key in known]
    if len(set(names)) < len(names) or conventions.TRUNCATED in names:
        raise OddError
    if any(name.startswith("$") for name in names):  # may look like our own tags
        raise OddError
    return _Names(
        pl.Series("keys", known, dtype=pl.String),
        pl.Series("names", names, dtype=pl.String),
        pl.Series("heads", [to_json(name) + ":" for name in names], dtype=pl.String),
        pl.Series("rules", [rules[key][0] for key in known], dtype=pl.Int8),
    )


def _texts(
    flat: FlatMap, rules: pl.Series, redactor: Redactor | None
) -> tuple[pl.Series, pl.Series]:
    """The redacted texts (null for other values), and every value as JSON."""
    frame = pl.DataFrame({"text": flat.text, "flag": flat.flag, "whole": flat.whole, "rule": rules})
    encoded = frame.select(
        pl.coalesce(
            '"' + pl.col("text") + '"',
            pl.col("whole").cast(pl.String),
            pl.col("flag").cast(pl.String),
            pl.lit("null"),
        )
    ).to_series()
    flagged = flat.text.str.contains(_ESCAPED).fill_null(False)
    if redactor is not None:
        flagged = flagged | suspicious(flat.text)
    special = flat.double.is_not_null() | (rules != PLAIN)
    if flat.others:
        special = special.scatter(list(flat.others), True)
    flagged = flagged & ~special
    places, texts, jsons = _one_by_one(flat, flagged, special, rules, redactor)
    text = flat.text
    kept = [(at, value) for at, value in zip(places, texts, strict=True) if value is not None]
    if kept:
        at = pl.Series("at", [at for at, _ in kept], dtype=pl.UInt32)
        text = replaced(text, at, [value for _, value in kept])
    return text, replaced(encoded, pl.Series("at", places, dtype=pl.UInt32), jsons)


def _one_by_one(
    flat: FlatMap,
    flagged: pl.Series,
    special: pl.Series,
    rules: pl.Series,
    redactor: Redactor | None,
) -> tuple[list[int], list[str | None], list[str]]:
    places: list[int] = flagged.arg_true().to_list()
    texts: list[str | None] = []
    jsons: list[str] = []
    known: dict[str, tuple[str, str]] = {}
    for text in flat.text.gather(places).to_list():
        found = known.get(text)
        if found is None:
            new = redactor.text(text) if redactor else text
            found = known[text] = (new, _encode(new).decode())
        texts.append(found[0])
        jsons.append(found[1])
    for at in special.arg_true().to_list():
        value = _value_at(flat, at)
        if redactor is not None:
            value = redactor.value(rules[at], value)
        places.append(at)
        texts.append(value if isinstance(value, str) else None)
        jsons.append(to_json(value))
        if isinstance(value, str) and flat.text[at] is None:
            raise OddError  # a number became a token: its copies need care
    return places, texts, jsons


def _value_at(flat: FlatMap, at: int) -> AttributeValue:
    if at in flat.others:
        return flat.others[at]
    for column in (flat.text, flat.whole, flat.flag, flat.double):
        value: AttributeValue = column[at]
        if value is not None:
            return value
    return None
