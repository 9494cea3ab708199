"""Checks and detectors, found by their place.

A module in a folder of plug-ins exports one value under an agreed name. All faults of all modules
are raised together, so that a start fails once and says everything.
"""

import importlib
import pkgutil
import re
from types import ModuleType
from typing import TypeVar

from store.errors import InvariantError

T = TypeVar("T")


def discover(
    package: ModuleType, export: str, kind: type[T], pattern: str = r"[a-z][a-z0-9_]*"
) -> dict[str, T]:
    """The plug-ins of a package by module name, in the order of their names."""
    found: dict[str, T] = {}
    faults: list[str] = []
    names = sorted(
        info.name
        for info in pkgutil.iter_modules(package.__path__)
        if re.fullmatch(pattern, info.name)
    )
    for name in names:
        place = f"{package.__name__}.{name}"
        try:
            module = importlib.import_module(place)
        except Exception as problem:  # a plug-in may fail in any way; all failures are told
            faults.append(f"{place} cannot be imported: {problem!r}")
            continue
        value = getattr(module, export, None)
        if isinstance(value, kind):
            found[name] = value
        else:
            faults.append(f"{place} exports no {export} of type {kind.__name__}")
    if faults:
        raise InvariantError("; ".join(faults))
    return found


def no_twins(names: dict[str, str]) -> None:
    """Refuse two modules (by place) that claim the same id."""
    seen: dict[str, str] = {}
    faults = []
    for place, name in names.items():
        if name in seen:
            faults.append(f"{place} and {seen[name]} are both called {name}")
        seen.setdefault(name, place)
    if faults:
        raise InvariantError("; ".join(faults))
