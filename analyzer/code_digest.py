"""What conclusions depend on besides the data: our own sources and the settings.

What is concluded of flows rests on the modules that conclude it and on all that they import, and on
nothing else of this package: `derivation_digest` changes with those alone, so that a change of a
report, a page's question or a detector of many flows derives no flow again.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

HERE = Path(__file__).parent
CONCLUDING = ("analyzer.gather", "analyzer.conclude")
"""What reads the records of flows, and what concludes from them."""
PLUGINS = ("analyzer.governance", "analyzer.resilience", "analyzer.sagas")
"""Packages whose modules are found by their place: each may conclude something."""
_QUESTION = re.compile(r"[\w-]+\.sql")
_ROWS = ("flow_", "fresh_")
"""Statements of the store that make rows of flows out of rows of flows begin so."""


def code_digest(settings: object) -> str:
    """SHA-256 of everything in this package and of a settings record."""
    return _digest(sources_digest(), settings)


def derivation_digest(settings: object) -> str:
    """SHA-256 of a settings record and of all that decides what is concluded of a flow."""
    return _digest(derivation_sources(), settings)


def _digest(sources: str, settings: object) -> str:
    written = json.dumps([sources, _plain(settings)], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def _plain(value: object) -> object:
    """A settings value as JSON, the same in every process."""
    if is_dataclass(value):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, Set):
        return sorted(str(entry) for entry in value)
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, bool | int | type(None)) else str(value)


@lru_cache(maxsize=1)
def sources_digest() -> str:
    """What all of this package's sources are."""
    return _hashed([*HERE.rglob("*.py"), *HERE.rglob("*.sql")])


@lru_cache(maxsize=1)
def derivation_sources() -> str:
    """What the sources are that decide what is concluded of a flow."""
    from analyzer.detectors import population_detectors

    aside = {f"{place}.{it.name}" for it in population_detectors() for place in PLUGINS}
    writing = files("store").joinpath("sql", "write").iterdir()
    rows = {it.name: it.read_bytes() for it in writing if it.name.startswith(_ROWS)}
    stored = hashlib.sha256(repr(sorted(rows.items())).encode()).hexdigest()
    return _hashed(sources_of(CONCLUDING, aside)) + stored


def sources_of(modules: Iterable[str], aside: Set[str] = frozenset()) -> list[Path]:
    """The files of these modules, of all in this package that they import, and of the questions
    they name. Plug-ins named `aside` count only where another module imports them."""
    found: dict[str, Path] = {}
    todo = list(modules)
    while todo:
        name = todo.pop()
        path = _file_of(name)
        if path is None or name in found:
            continue
        found[name] = path
        todo += _imported(path.read_text("utf-8"))
        todo += [name.rpartition(".")[0]] if "." in name else []
        if name in PLUGINS:
            inside = (f"{name}.{one.stem}" for one in sorted(path.parent.glob("*.py")))
            todo += [one for one in inside if one not in aside]
    named = {text for path in found.values() for text in _QUESTION.findall(path.read_text("utf-8"))}
    return [*found.values(), *(path for path in HERE.rglob("*.sql") if path.name in named)]


def _file_of(module: str) -> Path | None:
    """The file of a module of this package; None of anything else."""
    root, *inner = module.split(".")
    if root != HERE.name:
        return None
    place = HERE.joinpath(*inner)
    plain, package = place.with_suffix(".py"), place / "__init__.py"
    if inner and plain.is_file():
        return plain
    return package if package.is_file() else None


def _imported(source: str) -> Iterator[str]:
    """Names of modules that a source imports, wherever in it; some may be no modules."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _hashed(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        digest.update(f"{path.relative_to(HERE).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
