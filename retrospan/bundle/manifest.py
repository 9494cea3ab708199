"""What a bundle says of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from retrospan.bundle.layout import FORMAT, MANIFEST, REQUIRED, Limits
from retrospan.canonical import pretty
from retrospan.redaction_level import Level
from store.conclusions import Incident
from store.errors import DataError
from store.model import JsonValue
from store.values import from_json

KEYS = frozenset(
    {"format", "retrospan", "redaction", "around_ns", "incident", "counts", "replays", "entries"}
)
SHA256_CHARS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`entries` gives the SHA-256 of every other entry, `replays` the digest of each flow's control
    replay, `retrospan` the version that wrote it; `around_ns` is None when all data came along."""

    retrospan: str
    redaction: str
    around_ns: int | None
    incident: Incident
    counts: Mapping[str, int]
    replays: Mapping[str, str]
    entries: Mapping[str, str]


def write_manifest(path: Path, manifest: Manifest) -> None:
    document: dict[str, JsonValue] = {
        "format": FORMAT,
        "retrospan": manifest.retrospan,
        "redaction": manifest.redaction,
        "around_ns": manifest.around_ns,
        "incident": asdict(manifest.incident),
        "counts": dict(manifest.counts),
        "replays": dict(manifest.replays),
        "entries": dict(manifest.entries),
    }
    path.write_text(pretty(document) + "\n", encoding="utf-8")


def read_manifest(folder: Path, found: Mapping[str, str]) -> Manifest:
    """The manifest of an unpacked bundle, once every entry is what it says.

    `found` gives the digests of what was unpacked.
    """
    if MANIFEST not in found:
        raise DataError(f"there is no {MANIFEST}: this zip is no bundle of retrospan")
    path = folder / MANIFEST
    try:
        if path.stat().st_size > Limits().manifest_bytes_max:
            raise DataError(f"{path} is too large")
        document = from_json(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError, DataError) as error:
        raise DataError(f"{MANIFEST} cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DataError(f"{MANIFEST} is not of the format {FORMAT}, the only one that is read")
    if set(document) != KEYS:
        raise DataError(f"{MANIFEST} must have the keys {', '.join(sorted(KEYS))}")
    entries = _texts(document, "entries")
    _check_entries(entries, {name: sha for name, sha in found.items() if name != MANIFEST})
    return Manifest(
        retrospan=str(document["retrospan"])[:40],
        redaction=_level(document["redaction"]),
        around_ns=_around(document["around_ns"]),
        incident=_incident(document["incident"]),
        counts={},
        replays=_texts(document, "replays"),
        entries=entries,
    )


def _check_entries(stated: Mapping[str, str], found: Mapping[str, str]) -> None:
    missing = sorted((set(stated) | set(REQUIRED)) - set(found))
    if missing:
        raise DataError(f"the bundle lacks {', '.join(missing)[:300]}")
    extra = sorted(set(found) - set(stated))
    if extra:
        raise DataError(f"the manifest does not name {', '.join(extra)[:300]}")
    changed = sorted(name for name, digest in found.items() if stated[name] != digest)
    if changed:
        raise DataError(f"changed since the manifest was written: {', '.join(changed)[:300]}")


def _texts(document: Mapping[str, Any], key: str) -> dict[str, str]:
    value = document[key]
    if not isinstance(value, dict) or not all(
        isinstance(text, str) and len(text) <= SHA256_CHARS for text in value.values()
    ):
        raise DataError(f"{MANIFEST}: {key} must map names to digests")
    return value


def _level(value: object) -> str:
    if value not in list(Level):
        raise DataError(f"{MANIFEST}: redaction must be one of {', '.join(Level)}")
    return str(value)


def _around(value: object) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise DataError(f"{MANIFEST}: around_ns must be a duration or null")
    return value


def _incident(value: object) -> Incident:
    names = {field.name: field for field in fields(Incident)}
    if not isinstance(value, dict) or set(value) - set(names):
        raise DataError(f"{MANIFEST}: incident has other fields than {', '.join(names)}")
    shaped: dict[str, Any] = {}
    for name, entry in value.items():
        if not _fits(name, entry):
            raise DataError(f"{MANIFEST}: incident.{name} has the wrong shape")
        shaped[name] = tuple(entry) if isinstance(entry, list) else entry
    try:
        return Incident(**shaped)
    except TypeError as error:
        raise DataError(f"{MANIFEST}: incident is not whole: {error}") from error


def _fits(name: str, value: object) -> bool:
    if name.endswith("_ns"):
        whole = type(value) is int and 0 <= value < 1 << 63
        return whole or (value is None and name not in ("start_ns", "end_ns"))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return all(isinstance(text, str) for text in value)
    return isinstance(value, str)
