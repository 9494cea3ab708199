"""What `retrospan doctor` finds out: the environment, the configuration, the store file.

Nothing is made, changed or repaired. A check that fails says so; the others still run.
"""

import fcntl
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from retrospan import config, telemetry
from retrospan.edge import Edge
from retrospan.text import shortened, visible
from store.errors import RetrospanError, StoreBusyError
from store.lease import LeaseSettings, Store
from store.locks import FileLock
from store.model import JsonValue
from store.schema import SCHEMA_VERSION, fingerprint

LIBRARIES = (
    "duckdb",
    "polars",
    "pyarrow",
    "msgspec",
    "opentelemetry-sdk",
    "opentelemetry-proto",
    "grpcio",
    "streamlit",
    "typer",
)
WAIT_SECONDS_MAX = 2.0
FREE_BYTES_MIN = 256 * 1024 * 1024


class State(StrEnum):
    """How a check ended. Only a problem ends in exit code 4."""

    FINE = "fine"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; `facts` are for programs."""

    check: str
    state: State
    message: str
    facts: Mapping[str, JsonValue]

    def to_row(self) -> dict[str, JsonValue]:
        return {
            "check": self.check,
            "state": self.state.value,
            "message": self.message,
            "facts": dict(self.facts),
        }


def diagnose(edge: Edge) -> list[Check]:
    """All checks, in the order in which people read them."""
    return [
        _guarded(name, run)
        for name, run in (
            ("versions", lambda: _versions()),
            ("config", lambda: _config(edge)),
            ("redaction key", lambda: _key(os.environ)),
            ("own traces", lambda: _telemetry()),
            ("disk", lambda: _disk(edge.db)),
            ("lock", lambda: _lock(edge.db)),
            ("store file", lambda: _file(edge.db)),
            ("store content", lambda: _content(edge.db)),
        )
    ]


def _guarded(name: str, run: Callable[[], Check]) -> Check:
    try:
        return run()
    except StoreBusyError as error:
        return Check(check=name, state=State.NOTE, message=str(error), facts={})
    except (RetrospanError, OSError) as error:
        return Check(check=name, state=State.PROBLEM, message=str(error), facts={})


def _check(name: str, state: State, message: str, **facts: JsonValue) -> Check:
    return Check(check=name, state=state, message=message, facts=facts)


def _versions() -> Check:
    from retrospan import version as own

    found: dict[str, JsonValue] = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = None
    missing = [name for name, installed in found.items() if installed is None]
    python = platform.python_version()
    message = f"retrospan {own()}, Python {python}, DuckDB {found['duckdb']}"
    if missing:
        message += f"; not installed: {', '.join(missing)}"
    return _check(
        "versions",
        State.PROBLEM if missing else State.FINE,
        message,
        retrospan=own(),
        python=python,
        libraries=found,
    )


def _config(edge: Edge) -> Check:
    settings = edge.settings()
    settings.lease()
    if settings.source is None:
        return _check("config", State.FINE, "no configuration file: defaults", path=None)
    path = str(settings.source.absolute())
    return _check("config", State.FINE, path, path=path)


def _key(environment: Mapping[str, str]) -> Check:
    """Where the key comes from, never the key."""
    if environment.get(config.KEY_VARIABLE):
        config.redaction_key(environment)
        source = config.KEY_VARIABLE
        return _check("redaction key", State.FINE, f"from {source}", source=source, path=None)
    path = config._config_home(environment) / "retrospan" / "redaction.key"
    if not path.exists():
        message = f"none yet; the first ingest makes {path}"
        return _check("redaction key", State.NOTE, message, source=None, path=str(path))
    config.redaction_key(environment)
    return _check("redaction key", State.FINE, str(path), source="file", path=str(path))


def _telemetry() -> Check:
    to = telemetry.endpoint()
    if to is None:
        return _check("own traces", State.FINE, "off", endpoint=None)
    shown = telemetry.place(to)
    return _check("own traces", State.FINE, f"sent to {shown}", endpoint=shown)


def _size(count: int) -> str:
    """Bytes as people read them: 4.5 MB."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{count / 1000**power:.1f} {unit}"
    return f"{count} bytes"


def _disk(db: Path) -> Check:
    folder = db.absolute().resolve().parent
    usage = shutil.disk_usage(folder)
    size = db.stat().st_size if db.is_file() else 0
    facts: dict[str, JsonValue] = {
        "folder": str(folder),
        "free_bytes": usage.free,
        "total_bytes": usage.total,
    }
    if usage.free < FREE_BYTES_MIN:
        return _check("disk", State.PROBLEM, f"{_size(usage.free)} free in {folder}", **facts)
    if usage.free < size:
        message = f"{_size(usage.free)} free in {folder}: too few for an upgrade or a rewrite"
        return _check("disk", State.NOTE, message, **facts)
    return _check("disk", State.FINE, f"{_size(usage.free)} free in {folder}", **facts)


def _lock(db: Path) -> Check:
    """Who has the store now. The lock files themselves stay for ever: only what is held counts."""
    target = db.absolute().resolve()
    names = [target.with_name(target.name + suffix) for suffix in (".lock", ".queue")]
    present: list[JsonValue] = [str(path) for path in names if path.exists()]
    left: list[JsonValue] = [str(path) for path in _leftovers(target)]
    facts: dict[str, JsonValue] = {"lock_files": present, "leftovers": left}
    if not names[0].exists() or not _is_held(names[0]):
        message = "nobody has the store"
        if left:
            return _check(
                "lock", State.NOTE, f"{message}; files beside it: {len(left)}", holder=None, **facts
            )
        return _check("lock", State.FINE, message, holder=None, **facts)
    holder = FileLock(target).holder()
    return _check("lock", State.NOTE, f"in use by {holder}", holder=holder, **facts)


def _leftovers(target: Path) -> Iterator[Path]:
    """Backups of upgrades, and what a killed upgrade left."""
    yield from sorted(target.parent.glob(f"{target.name}.bak-v*"))
    yield from sorted(target.parent.glob(f"{target.name}.new*"))


def _is_held(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _file(db: Path) -> Check:
    target = db.absolute()
    facts: dict[str, JsonValue] = {"path": str(target)}
    if not target.is_file():
        message = f"there is no store at {target}; make one with `retrospan ingest PATH`"
        return _check("store file", State.PROBLEM, message, **facts)
    found = target.stat()
    wal = target.with_name(target.name + ".wal")
    facts |= {
        "size_bytes": found.st_size,
        "log_bytes": wal.stat().st_size if wal.exists() else 0,
        "mode": f"{found.st_mode & 0o777:04o}",
    }
    message = f"{target}, {_size(found.st_size)}"
    if found.st_mode & 0o077:
        return _check("store file", State.NOTE, f"{message}; others may open it", **facts)
    return _check("store file", State.FINE, message, **facts)


def _content(db: Path) -> Check:
    from store.read import counts, read_rejects

    settings = LeaseSettings(wait_seconds_max=WAIT_SECONDS_MAX)
    with Store(db, settings).reading("doctor") as session:
        known = counts(session)
        refused = read_rejects(session, limit=1)
    facts: dict[str, JsonValue] = {
        "schema_version": SCHEMA_VERSION,
        "ddl_sha256": fingerprint(),
        "generation": known.generation,
        "spans": known.spans,
        "logs": known.logs,
        "decisions": known.decisions,
        "flows": known.flows,
        "underived_traces": known.underived_traces,
        "rejects": known.rejects,
        "data_start_ns": known.data_start_ns,
        "data_end_ns": known.data_end_ns,
    }
    message = f"schema {SCHEMA_VERSION}, {known.spans} spans, {known.flows} flows"
    notes = []
    if known.underived_traces:
        notes.append(f"{known.underived_traces} traces whose flows are not derived yet")
    for first in refused:
        place = visible(f"{first.source}, {first.record}: {first.reason}")
        notes.append(f"refused records: {known.rejects}, the first of them {shortened(place)}")
    if notes:
        return _check("store content", State.NOTE, "; ".join([message, *notes]), **facts)
    return _check("store content", State.FINE, message, **facts)
