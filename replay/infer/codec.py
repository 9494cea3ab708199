"""Programs as plain JSON values: dataclasses become tagged objects."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from store.errors import DataError


def encode(value: Any) -> Any:
    """Turn a tree of dataclasses, tuples, sets and maps into JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        document = {item.name: encode(getattr(value, item.name)) for item in fields(value)}
        return {"is": type(value).__name__, **document}
    if isinstance(value, Mapping):
        return {"map": {str(key): encode(item) for key, item in value.items()}}
    if isinstance(value, frozenset):
        return {"set": sorted(encode(item) for item in value)}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, float):
        return {"number": repr(value)}
    return value


def decode(document: Any, classes: Mapping[str, type]) -> Any:
    """Rebuild what `encode` wrote; an unknown class is refused."""
    if isinstance(document, list):
        return tuple(decode(item, classes) for item in document)
    if not isinstance(document, dict):
        return document
    if "map" in document:
        return {key: decode(item, classes) for key, item in document["map"].items()}
    if "set" in document:
        return frozenset(decode(item, classes) for item in document["set"])
    if "number" in document:
        return float(document["number"])
    name = document.get("is")
    made = classes.get(name) if isinstance(name, str) else None
    if made is None:
        raise DataError(f"a program holds a part this version does not know: {name!r}")
    values = {key: decode(item, classes) for key, item in document.items() if key != "is"}
    try:
        return made(**values)
    except TypeError as error:
        raise DataError(f"a program's part {name!r} is not complete: {error}") from None
