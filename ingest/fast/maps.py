"""Attribute maps as JSON texts, many at once, as `store.values` writes each."""

from dataclasses import dataclass

import msgspec
import polars as pl

from ingest.fast.flat import FlatMap, OddError
from ingest.fast.names import Names, names_of
from ingest.limits import Limits
from ingest.preparation import Preparation
from ingest.redact import Redactor
from ingest.redact_columns import replaced, suspicious
from ingest.redact_text import PLAIN
from store.columns import COPIED
from store.model import AttributeValue
from store.values import to_json

_ESCAPED = r'["\\\x00-\x1f]'
_COPIED = frozenset(name for names in COPIED.values() for name in names)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Maps:
    """One JSON text for each owner; `copied` has a row per attribute that a column copies."""

    texts: pl.Series
    copied: pl.DataFrame  # owner, name, text, whole


def maps_of(flat: FlatMap, count: int, prepare: Preparation, limits: Limits) -> Maps:
    """The maps of `count` owners; raises OddError for what needs the walk over records."""
    if flat.key.is_empty():
        empty = pl.Series("texts", ["{}"]).new_from_index(0, count)
        return Maps(empty, _COPIED_NONE)
    _check_limits(flat, limits)
    names = names_of(flat.key, prepare)
    code = flat.key.replace_strict(names.keys, names.codes, return_dtype=pl.Int64)
    text, value = _texts(flat, names.rules.gather(code), prepare.redactor)
    frame = pl.DataFrame(
        {
            "owner": flat.owner.cast(pl.Int64),
            "code": code,
            "text": text,
            "whole": flat.whole,
            "value": value,
        }
    )
    frame = _once(frame, names.texts.len())
    frame = _with_aliases(frame, names)
    pieces = frame.select("owner", piece=names.heads.gather(frame["code"]) + frame["value"])
    joined = pieces.group_by("owner", maintain_order=True).agg(pl.col("piece").str.join(","))
    wanted = [place for place, name in enumerate(names.texts.to_list()) if name in _COPIED]
    copied = frame.filter(pl.col("code").is_in(wanted))
    return Maps(
        _in_place(joined, count),
        copied.select("owner", "text", "whole", name=names.texts.gather(copied["code"])),
    )


_COPIED_NONE = pl.DataFrame(
    schema={"owner": pl.Int64, "text": pl.String, "whole": pl.Int64, "name": pl.String}
)


def _check_limits(flat: FlatMap, limits: Limits) -> None:
    sizes = flat.owner.rle().struct.field("len").max()
    longest = flat.text.str.len_bytes().max()
    if int(str(sizes)) > limits.attributes_per_record:
        raise OddError
    if longest is not None and int(str(longest)) > limits.attribute_chars:
        raise OddError


def _once(frame: pl.DataFrame, names: int) -> pl.DataFrame:
    """Sorted by owner and name; of a repeated name the last one counts."""
    order = frame["owner"] * names + frame["code"]
    place = order.arg_sort()  # of equal ones any order: they are looked at again
    order = order.gather(place)
    if (order.diff() == 0).any():
        frame = frame.with_columns(order=frame["owner"] * names + frame["code"])
        last = frame.unique("order", keep="last", maintain_order=True)
        return last.sort("order").drop("order")
    return frame[place]


def _with_aliases(frame: pl.DataFrame, names: Names) -> pl.DataFrame:
    """Canonical attributes beside a team's own: of its names the first one with a value."""
    added = []
    for canonical, own in names.aliases:
        has = frame.filter(pl.col("code") == canonical)["owner"]
        for code in own:
            found = frame.filter((pl.col("code") == code) & (pl.col("value") != "null"))
            found = found.filter(~pl.col("owner").is_in(has.implode()))
            if not found.is_empty():
                has = pl.concat([has, found["owner"]])
                added.append(found.with_columns(code=pl.lit(canonical, pl.Int64)))
    return pl.concat([frame, *added]).sort("owner", "code") if added else frame


def _in_place(joined: pl.DataFrame, count: int) -> pl.Series:
    """One text for each owner, also for those that have none."""
    index = pl.DataFrame({"owner": pl.int_range(count, dtype=pl.Int64, eager=True)})
    whole = index.join(joined, on="owner", how="left", maintain_order="left")
    body = pl.concat_str(pl.lit("{"), pl.col("piece").fill_null(""), pl.lit("}"))
    return whole.select(body).to_series()


def _texts(
    flat: FlatMap, rules: pl.Series, redactor: Redactor | None
) -> tuple[pl.Series, pl.Series]:
    """The redacted texts (null for other values), and every value as JSON."""
    text = flat.text
    special = flat.double.is_not_null() | (rules != PLAIN)
    if flat.others:
        special = special.scatter(list(flat.others), True)
    if redactor is not None:
        looked_at = (suspicious(text, redactor) & ~special).arg_true()
        text = replaced(text, looked_at, redactor.texts(text.gather(looked_at).to_list()))
    places, texts, jsons = _one_by_one(flat, special, rules, redactor)
    kept = [(at, value) for at, value in zip(places, texts, strict=True) if value is not None]
    if kept:
        at = pl.Series("at", [at for at, _ in kept], dtype=pl.UInt32)
        text = replaced(text, at, [value for _, value in kept])
    escaped = (text.str.contains(_ESCAPED).fill_null(False) & ~special).arg_true()
    jsons += [_encode(one).decode() for one in text.gather(escaped).to_list()]
    frame = pl.DataFrame({"text": text, "flag": flat.flag, "whole": flat.whole})
    mark = pl.when(pl.col("text").is_not_null()).then(pl.lit('"')).otherwise(pl.lit(""))
    encoded = frame.select(
        pl.concat_str(
            mark,
            pl.coalesce(
                "text",
                pl.col("whole").cast(pl.String),
                pl.col("flag").cast(pl.String),
                pl.lit("null"),
            ),
            mark,
        )
    ).to_series()
    changed = pl.Series("at", [*places, *escaped.to_list()], dtype=pl.UInt32)
    return text, replaced(encoded, changed, jsons)


def _one_by_one(
    flat: FlatMap, special: pl.Series, rules: pl.Series, redactor: Redactor | None
) -> tuple[list[int], list[str | None], list[str]]:
    """Places, texts (None for other values) and JSON of what no column says in one way."""
    places: list[int] = special.arg_true().to_list()
    columns = [column.gather(places).to_list() for column in _columns(flat)]
    texts: list[str | None] = []
    jsons: list[str] = []
    for at, rule, *held in zip(places, rules.gather(places).to_list(), *columns, strict=True):
        value: AttributeValue = flat.others.get(at)
        if at not in flat.others:
            value = next((one for one in held if one is not None), None)
        new = value if redactor is None else redactor.value(rule, value)
        texts.append(new if isinstance(new, str) else None)
        jsons.append(to_json(new))
        if isinstance(new, str) and not isinstance(value, str):
            raise OddError  # a number became a token: its copies need care
    return places, texts, jsons


def _columns(flat: FlatMap) -> tuple[pl.Series, ...]:
    return flat.text, flat.whole, flat.flag, flat.double
