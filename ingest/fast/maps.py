"""Attribute maps as JSON texts, many at once, as `store.values` writes each."""

from dataclasses import dataclass

import msgspec
import polars as pl
import pyarrow as pa

from ingest.fast.flat import FlatMap, OddError, begins, longest
from ingest.fast.names import Names, names_of
from ingest.limits import Limits
from ingest.preparation import Preparation
from ingest.redact import Redactor
from ingest.redact_columns import marked, replaced, suspicious
from ingest.redact_text import EXEMPT, PLAIN
from store.columns import COPIED
from store.model import AttributeValue
from store.values import to_json

_NULL = "null"
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
        return Maps(pl.Series("texts", ["{}"]).new_from_index(0, count), _COPIED_NONE)
    _check_limits(flat, limits)
    names = names_of(flat.key, prepare)
    values = _values(flat, names.rules[names.codes], prepare.redactor)
    entries = _with_aliases(_once(flat.owner, names), names, values)
    is_copied = pl.Series("copied", [name in _COPIED for name in names.texts.to_list()])
    copied = entries.filter(is_copied[entries["code"]])
    return Maps(
        _in_place(entries, _joined(entries, names, values), count),
        pl.DataFrame(
            {
                "owner": copied["owner"],
                "text": values.text[copied["at"]],
                "whole": flat.whole[copied["at"]],
                "name": names.texts[copied["code"]],
            }
        ),
    )


_COPIED_NONE = pl.DataFrame(
    schema={"owner": pl.Int64, "text": pl.String, "whole": pl.Int64, "name": pl.String}
)


def _check_limits(flat: FlatMap, limits: Limits) -> None:
    if longest(begins(flat.owner)) > limits.attributes_per_record:
        raise OddError
    size = flat.text.str.len_bytes().max()
    if size is not None and int(str(size)) > limits.attribute_chars:
        raise OddError


def _once(owner: pl.Series, names: Names) -> pl.DataFrame:
    """Owner, code and place `at` of every attribute, by owner and name.

    Of a repeated name the last one counts.
    """
    bits = owner.len().bit_length()
    order = owner.cast(pl.Int64) * names.texts.len() + names.codes
    order = (order * 2**bits + pl.int_range(owner.len(), dtype=pl.Int64, eager=True)).sort()
    whole = order // 2**bits
    is_last = _ends(begins(whole))
    if not is_last.all():
        order = order.filter(is_last)
    at = (order & (2**bits - 1)).cast(pl.UInt32)
    return pl.DataFrame({"owner": owner[at], "code": names.codes[at], "at": at})


def _ends(begin: pl.Series) -> pl.Series:
    """Whether each element is the last of its owner, by where owners begin."""
    return begin.slice(1).extend_constant(True, 1)


def _with_aliases(entries: pl.DataFrame, names: Names, values: "_Values") -> pl.DataFrame:
    """Canonical attributes beside a team's own: of its names the first one with a value."""
    added = []
    for canonical, own in names.aliases:
        has = entries.filter(pl.col("code") == canonical)["owner"]
        for code in own:
            found = entries.filter(pl.col("code") == code)
            is_there = values.quoted[found["at"]] | (values.json[found["at"]] != _NULL)
            found = found.filter(is_there & ~found["owner"].is_in(has.implode()))
            if not found.is_empty():
                has = pl.concat([has, found["owner"]])
                added.append(found.with_columns(code=pl.lit(canonical, pl.Int64)))
    return pl.concat([entries, *added]).sort("owner", "code") if added else entries


def _joined(entries: pl.DataFrame, names: Names, values: "_Values") -> pl.Series:
    """One JSON object for each owner that has attributes.

    Every attribute becomes a text that begins with what stands before it; laid end to end these
    are the objects already, so only their ends are looked up.
    """
    is_first = begins(entries["owner"])
    is_last = _ends(is_first)
    is_quoted = values.quoted[entries["at"]]
    heads = [start + head + mark for head in names.heads for start in ",{" for mark in ("", '"')]
    ends = pl.Series("ends", [mark + end for end in ("", "}") for mark in ("", '"')])
    head = entries["code"] * 4 + is_first.cast(pl.Int64) * 2 + is_quoted
    pieces = pl.DataFrame(
        {
            "head": pl.Series("heads", heads)[head],
            "json": values.json[entries["at"]],
            "end": ends[is_last.cast(pl.UInt32) * 2 + is_quoted],
        }
    ).select(pl.concat_str("head", "json", "end"))
    laid: pa.LargeStringArray = pieces.to_series().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, ends_at, data = laid.buffers()
    starts = pl.Series(pa.Array.from_buffers(pa.int64(), len(laid) + 1, [None, ends_at]))
    starts = starts[is_first.arg_true()].append(starts.tail(1)).rechunk()
    found = pa.Array.from_buffers(
        pa.large_string(), starts.len() - 1, [None, starts.to_arrow().buffers()[1], data]
    )
    return pl.Series("texts", found)


def _in_place(entries: pl.DataFrame, texts: pl.Series, count: int) -> pl.Series:
    """One text for each owner, also for those that have none."""
    if texts.len() == count:
        return texts
    owners = entries["owner"].filter(begins(entries["owner"]))
    index = pl.Series("index", [0], dtype=pl.UInt32).new_from_index(0, count)
    index = index.scatter(owners, pl.int_range(1, owners.len() + 1, dtype=pl.UInt32, eager=True))
    return pl.concat([pl.Series("texts", ["{}"]), texts])[index]


@dataclass(frozen=True, slots=True)
class _Values:
    """Every value: redacted `text` (null for others); as `json`, without its marks if `quoted`."""

    text: pl.Series
    json: pl.Series
    quoted: pl.Series


def _values(flat: FlatMap, rules: pl.Series, redactor: Redactor | None) -> _Values:
    text = flat.text
    special = rules > PLAIN
    doubles = pl.Series("doubles", [], dtype=pl.UInt32)
    if flat.double.null_count() < flat.double.len():
        is_finite = flat.double.is_finite()
        doubles = is_finite.fill_null(False).arg_true()
        special = special | ~is_finite.fill_null(True)
    if flat.others:
        special = special.scatter(list(flat.others), True)
    looked = marked(text)
    looked = looked.filter(~special[looked])
    if redactor is not None:
        searched = (text.is_not_null() & ~special).arg_true() if redactor.has_own_shapes else looked
        searched = searched.filter(rules[searched] != EXEMPT)
        searched = searched.filter(suspicious(text[searched], redactor))
        text = replaced(text, searched, redactor.texts(text[searched].to_list()))
    places, texts, jsons = _one_by_one(flat, special, rules, redactor)
    kept = [(at, value) for at, value in zip(places, texts, strict=True) if value is not None]
    if kept:
        at = pl.Series("at", [at for at, _ in kept], dtype=pl.UInt32)
        text = replaced(text, at, [value for _, value in kept])
    escaped = looked.filter(text[looked].str.contains(_ESCAPED))
    jsons += [_encode(one).decode() for one in text[escaped].to_list()]
    doubles = doubles.filter(~special[doubles])
    if not doubles.is_empty():
        jsons += _encode(flat.double[doubles].to_list())[1:-1].decode().split(",")
    columns = pl.DataFrame({"text": text, "flag": flat.flag, "whole": flat.whole})
    written = columns.select(
        pl.coalesce(
            "text",
            pl.col("whole").cast(pl.String),
            pl.col("flag").cast(pl.String),
            pl.lit(_NULL),
        )
    ).to_series()
    changed = pl.Series("at", [*places, *escaped.to_list(), *doubles.to_list()], dtype=pl.UInt32)
    quoted = text.is_not_null()
    if changed.len():
        quoted = quoted.scatter(changed, False)
    return _Values(text, replaced(written, changed, jsons), quoted)


def _one_by_one(
    flat: FlatMap, special: pl.Series, rules: pl.Series, redactor: Redactor | None
) -> tuple[list[int], list[str | None], list[str]]:
    """Places, texts (None for other values) and JSON of what no column says in one way."""
    there = special.arg_true()
    places: list[int] = there.to_list()
    columns = [column[there].to_list() for column in _columns(flat)]
    texts: list[str | None] = []
    jsons: list[str] = []
    for at, rule, *held in zip(places, rules[there].to_list(), *columns, strict=True):
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
