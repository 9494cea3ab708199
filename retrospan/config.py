"""The configuration: the only module that reads `retrospan.toml` and the environment.

Each package defines its own frozen Settings; a table of the file fills one of them, so the keys a
table may have are the fields of that record. Everything is passed down as values.
"""

import os
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

from store.errors import UsageError

CONFIG_NAME = "retrospan.toml"
CONFIG_BYTES_MAX = 1_000_000
DB_VARIABLE = "RETROSPAN_DB"
CONFIG_VARIABLE = "RETROSPAN_CONFIG"
KEY_VARIABLE = "RETROSPAN_REDACTION_KEY"
SIGNING_VARIABLE = "RETROSPAN_SIGNING_KEY"
KEY_BYTES = 32
KEY_BYTES_MIN = 16
TABLES = (
    "store",
    "ingest",
    "redaction",
    "aliases",
    "flows",
    "declared",
    "detectors",
    "governance",
    "slo",
    "contracts",
    "releases",
    "conformance",
    "replay",
)

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The file's tables, checked for their names; `source` is None when there is no file."""

    source: Path | None = None
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def fill(self, table: str, record: type[Record], **given: object) -> Record:
        """The Settings record of a package, from its table; what is `given` is not the file's."""
        return _filled(f"{self.source}: [{table}]", self.tables.get(table, {}), record, given)

    def fill_each(self, table: str, records: Mapping[str, type[Any]]) -> dict[str, Any]:
        """Settings records by name, each from the table `[table.NAME]`."""
        entries = self.tables.get(table, {})
        unknown = sorted(set(entries) - set(records))
        if unknown:
            raise UsageError(
                f"{self.source}: no table {', '.join(f'[{table}.{name}]' for name in unknown)}; "
                f"there may be {', '.join(sorted(records))}"
            )
        filled = {}
        for name, record in records.items():
            given = entries.get(name, {})
            if not isinstance(given, dict):
                raise UsageError(f"{self.source}: {name} must be a table, as in [{table}.{name}]")
            filled[name] = _filled(f"{self.source}: [{table}.{name}]", given, record, {})
        return filled

    def names(self, table: str) -> dict[str, tuple[str, ...]]:
        """A table of names with one or more texts each; `a.b = "c"` names `a.b` too."""
        return dict(_named(f"{self.source}: [{table}]", "", self.tables.get(table, {})))

    def lease(self) -> Any:
        """How the store file is opened."""
        from store.lease import LeaseSettings

        return self.fill("store", LeaseSettings)


def _named(
    place: str, above: str, entries: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key, value in entries.items():
        name = above + key
        if isinstance(value, dict):
            yield from _named(place, f"{name}.", value)
            continue
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise UsageError(f"{place} {name} must be text or a list of texts")
        yield name, tuple(texts)


def _filled(
    place: str, entries: Mapping[str, Any], record: type[Record], given: Mapping[str, object]
) -> Record:
    known = {entry.name: entry.type for entry in fields(record)}  # type: ignore[arg-type]
    allowed = sorted(set(known) - set(given))
    unknown = sorted(set(entries) - set(allowed))
    if unknown:
        raise UsageError(
            f"{place} may not have {', '.join(unknown)}; it may have {', '.join(allowed)}"
        )
    values = {
        name: _shaped(f"{place} {name}", value, known[name]) for name, value in entries.items()
    }
    try:
        return record(**{**values, **given})
    except (TypeError, ValueError) as error:
        raise UsageError(f"{place}: {error}") from error


def _shaped(place: str, value: Any, declared: Any) -> object:
    """A TOML value in the shape its field declares, or a refusal that names both."""
    said = str(declared)
    if is_dataclass(declared) and isinstance(value, dict):
        return _filled(place, value, cast(type[Any], declared), {})
    if isinstance(value, list):
        return frozenset(value) if "frozenset" in said else tuple(value)
    if isinstance(declared, type):
        if declared is Decimal and isinstance(value, int | float | str):
            return Decimal(str(value))
        if declared is float and type(value) is int:
            return float(value)
        if type(value) is not declared:
            raise UsageError(f"{place} must be {declared.__name__}, this is {type(value).__name__}")
    return value


def load(path: Path | None) -> Settings:
    """The named file, else `retrospan.toml` beside the caller, else nothing but defaults."""
    if path is None:
        path = Path(CONFIG_NAME)
        if not path.is_file():
            return Settings()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if len(data) > CONFIG_BYTES_MAX:
        raise UsageError(f"{path} has {len(data)} bytes; a configuration has at most 1,000,000")
    try:
        document = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    unknown = sorted(set(document) - set(TABLES))
    if unknown:
        raise UsageError(f"{path}: no table {', '.join(unknown)}; there are {', '.join(TABLES)}")
    loose = sorted(name for name, value in document.items() if not isinstance(value, dict))
    if loose:
        raise UsageError(f"{path}: {', '.join(loose)} must be a table, as in [{loose[0]}]")
    return Settings(source=path, tables=document)


def redaction_key(environment: Mapping[str, str] | None = None) -> bytes:
    """The key of redaction tokens: from the environment, else a file of the user's, made once.

    Never beside the data: a key next to what it hides hides nothing.
    """
    return _key(environment, KEY_VARIABLE, "redaction")


def signing_key(environment: Mapping[str, str] | None = None) -> bytes:
    """The key that tree heads of the decision log are signed with; kept like the other one."""
    return _key(environment, SIGNING_VARIABLE, "signing")


def _key(environment: Mapping[str, str] | None, variable: str, name: str) -> bytes:
    environment = os.environ if environment is None else environment
    given = environment.get(variable)
    if given:
        key = given.encode()
        if len(key) < KEY_BYTES_MIN:
            raise UsageError(f"{variable} needs at least {KEY_BYTES_MIN} bytes")
        return key
    path = _config_home(environment) / "retrospan" / f"{name}.key"
    try:
        return _read_key(path)
    except FileNotFoundError:
        return _make_key(path, variable)


def _config_home(environment: Mapping[str, str]) -> Path:
    named = environment.get("XDG_CONFIG_HOME")
    return Path(named) if named else Path(environment.get("HOME") or Path.home()) / ".config"


def _read_key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise UsageError(f"the key {path} is open to others; run: chmod 600 {path}")
    if len(key) < KEY_BYTES_MIN:
        raise UsageError(f"the key {path} is too short; remove it to get a new one")
    return key


def _make_key(path: Path, variable: str) -> bytes:
    """Written aside and linked into place: two first runs at once end up with one key."""
    key = secrets.token_bytes(KEY_BYTES)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(key)
        try:
            path.hardlink_to(aside)
        except FileExistsError:
            key = _read_key(path)
        finally:
            aside.unlink()
    except OSError as error:
        raise UsageError(
            f"the key {path} cannot be made ({error.strerror}); set {variable}"
        ) from error
    return key
