"""All that pages read from the store: short leases, answers kept until the file changes."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl
import streamlit as st

from dashboards.scope import Scope
from dashboards.serve import STORE_VARIABLE
from retrospan.edge import STORE_DEFAULT
from store.conclusions import Incident
from store.lease import LeaseSettings, Store
from store.query import ask
from store.read import read_incidents
from store.session import Session

WAIT_SECONDS_MAX = 120.0  # then a page says "busy"; until then that it reads the store
FLOWS_MAX = 20_000  # flows of a list a page holds; about what is read within a second
HELD_MAX = 200_000  # of them when somebody asks for more, some 2 kB each
OVERVIEWS_MAX = 4

_SQL = Path(__file__).parent / "sql"
T = TypeVar("T")
Stamp = tuple[int, ...]
Key = tuple[int | None, int | None, str, tuple[str, ...]]
_TOGETHER: ContextVar[ExitStack | None] = ContextVar("_TOGETHER", default=None)
"""Keeps the file open for the questions of a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the store holds, however much it is: counts, names, incidents (the latest first)."""

    spans: int
    traces: int
    flow_count: int
    first_ns: int | None
    last_ns: int | None
    last_flow_ns: int | None
    underived: int
    rejected: int
    rejected_reason: str
    environments: tuple[str, ...]
    services: tuple[str, ...]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview(Holdings):
    """The holdings with the flows in scope, latest first; incidents are those of the flows.

    `problem_rows` has one row per violated or suspected check and finding, `problems` counts them;
    `effects` are amounts left standing per flow and currency.
    """

    flows: pl.DataFrame
    problems: pl.DataFrame
    problem_rows: pl.DataFrame
    effects: pl.DataFrame


def store_path() -> Path:
    """The store these pages read; the command that serves them names it in the environment."""
    return Path(os.environ.get(STORE_VARIABLE, STORE_DEFAULT))


def holdings() -> Holdings:
    """What the store holds."""
    path = store_path()
    return _holdings(str(path), stamp_of(path))


def flow_count(scope: Scope) -> int:
    """How many flows are in scope."""
    path = store_path()
    return _flow_count(str(path), stamp_of(path), _key(scope))


def opens_at(flows_max: int, until_ns: int | None = None) -> int | None:
    """From when on the latest flows, before `until_ns`, are no more than so many; None: always."""
    path = store_path()
    return _opens_at(str(path), stamp_of(path), flows_max, until_ns)


def around(at_ns: int, flows_max: int) -> tuple[int | None, int | None]:
    """A range with `at_ns` in it, about in the middle of at most so many flows; None: no end."""
    path = store_path()
    until_ns = _nth_after(str(path), stamp_of(path), at_ns, flows_max // 2)
    return opens_at(flows_max, until_ns), until_ns


def overview(scope: Scope, flow_ids: Sequence[str] | None = None) -> Overview:
    """The flows in scope, or those of them that are named. How many they are is the caller's care:
    see `flow_count`."""
    path = store_path()
    named = None if flow_ids is None else tuple(flow_ids)
    return _overview(str(path), stamp_of(path), _key(scope), named)


def stamp_of(path: Path) -> Stamp:
    """Changes whenever the store does; a file that is not there is an answer too."""
    stamp: list[int] = []
    for file in (path, path.with_name(path.name + ".wal")):
        try:
            facts = file.stat()
        except FileNotFoundError:
            stamp += [0, 0]
        else:
            stamp += [facts.st_mtime_ns, facts.st_size]
    return tuple(stamp)


def held(purpose: str, question: Callable[[Session], T], path: str | None = None) -> T:
    """Asks one thing under a lease; whatever is computed from the answer comes after it."""
    settings = LeaseSettings(wait_seconds_max=WAIT_SECONDS_MAX)
    store = Store(Path(path) if path else store_path(), settings)
    with store.reading(f"dashboard: {purpose}") as session:
        together = _TOGETHER.get()
        if together is not None:
            together.enter_context(store.reading(f"dashboard: {purpose}"))
        return question(session)


@contextmanager
def one_lease() -> Iterator[None]:
    """Questions asked in this block share a lease, from the first of them to the end of the block:
    opening the file takes longer than most of them do. What is drawn or computed belongs after it.
    A block within a block shares the lease of the outer one.
    """
    if _TOGETHER.get() is not None:
        yield
        return
    with ExitStack() as together:
        token = _TOGETHER.set(together)
        try:
            yield
        finally:
            _TOGETHER.reset(token)


def asked(session: Session, name: str, params: Mapping[str, object] | None = None) -> pl.DataFrame:
    """The answer to a question of the pages' own (`sql/NAME.sql`)."""
    return ask(session, _SQL / f"{name}.sql", params or {})


def params_of(scope: Scope) -> dict[str, object]:
    """The scope as the questions over flows take it."""
    return {
        "since_ns": scope.since_ns,
        "until_ns": scope.until_ns,
        "environment": scope.environment or None,
        "services": list(scope.services) or None,
    }


def _key(scope: Scope) -> Key:
    """What of a scope makes an answer another one."""
    return scope.since_ns, scope.until_ns, scope.environment, tuple(scope.services)


def _params(key: Key) -> dict[str, object]:
    since_ns, until_ns, environment, services = key
    return params_of(
        Scope(since_ns=since_ns, until_ns=until_ns, environment=environment, services=services)
    )


# The records are frozen and the frames never changed in place, so the cache may share them.
@st.cache_resource(max_entries=2, show_spinner="Reading the store …")
def _holdings(path: str, stamp: Stamp) -> Holdings:
    del stamp  # only part of the key

    def question(session: Session) -> tuple[pl.DataFrame, pl.DataFrame, list[Incident]]:
        counted, names = asked(session, "holdings"), asked(session, "names")
        return counted, names, read_incidents(session)

    counted, names, incidents = held("what the store holds", question, path)
    counts = counted.row(0, named=True)
    named: dict[str, list[str]] = {"environment": [], "service": []}
    for kind, name in names.iter_rows():
        named[kind].append(name)
    return Holdings(
        **{**counts, "rejected_reason": counts["rejected_reason"] or "not kept"},
        environments=tuple(named["environment"]),
        services=tuple(named["service"]),
        incidents=tuple(sorted(incidents, key=lambda one: (-one.start_ns, one.incident_id))),
    )


@st.cache_resource(max_entries=32)
def _flow_count(path: str, stamp: Stamp, key: Key) -> int:
    del stamp  # only part of the key
    question = partial(asked, name="flow_count", params=_params(key))
    return int(held("counting flows", question, path)["flows"][0])


@st.cache_resource(max_entries=32)
def _opens_at(path: str, stamp: Stamp, flows_max: int, until_ns: int | None) -> int | None:
    del stamp  # only part of the key
    params = {"flows": flows_max, "until_ns": until_ns}
    found = held("latest flows", partial(asked, name="nth_latest", params=params), path)
    return int(found["start_ns"][0]) + 1 if found.height else None


@st.cache_resource(max_entries=32)
def _nth_after(path: str, stamp: Stamp, from_ns: int, flows: int) -> int | None:
    del stamp  # only part of the key
    params = {"flows": flows, "from_ns": from_ns}
    found = held("flows around one", partial(asked, name="nth_after", params=params), path)
    return int(found["start_ns"][0]) if found.height else None


@st.cache_resource(max_entries=OVERVIEWS_MAX, show_spinner="Reading flows …")
def _overview(path: str, stamp: Stamp, key: Key, flow_ids: tuple[str, ...] | None) -> Overview:
    scope = _params(key)
    narrow = any(value is not None for value in scope.values())
    named = {**scope, "flow_ids": None if flow_ids is None else list(flow_ids)}

    def question(session: Session) -> dict[str, pl.DataFrame]:
        flows = asked(session, "flows", named)
        about = {**named, **_ends(flows)}  # less to look through, where few flows are named
        every = {**about, "every": not narrow and flow_ids is None}
        return {
            "flows": flows,
            "effects": asked(session, "effects", about),
            "problems": asked(session, "problems", every),
            "incidents": asked(session, "incidents_within", scope),
        }

    frames = held("flows in scope", question, path)
    whole = _holdings(path, stamp)
    touched = frozenset(frames["incidents"]["incident_id"])
    facts = {field.name: getattr(whole, field.name) for field in fields(whole)}
    facts["incidents"] = tuple(
        one for one in whole.incidents if not narrow or one.incident_id in touched
    )
    return Overview(
        **facts,
        flows=_with_problems(frames["flows"], frames["problems"]),
        problems=_ranked(frames["problems"]),
        problem_rows=frames["problems"],
        effects=frames["effects"],
    )


def _ends(flows: pl.DataFrame) -> dict[str, object]:
    """The range in which these flows began."""
    first, last = flows["start_ns"].min(), flows["start_ns"].max()
    return {"since_ns": first, "until_ns": None if last is None else int(str(last)) + 1}


def _with_problems(flows: pl.DataFrame, problems: pl.DataFrame) -> pl.DataFrame:
    """Each flow with the names of what is wrong with it."""
    named = (
        problems.drop_nulls("flow_id")
        .group_by("flow_id")
        .agg(pl.col("name").unique().sort().alias("problems"))
    )
    every = flows.join(named, on="flow_id", how="left", maintain_order="left")
    return every.with_columns(pl.col("problems").fill_null([]))


def _ranked(problems: pl.DataFrame) -> pl.DataFrame:
    """One row per check or detector and verdict, violations first, most flows first."""
    return (
        problems.group_by("name", "verdict")
        .agg(
            pl.col("flow_id").drop_nulls().n_unique().alias("flows"),
            pl.len().alias("findings"),
            pl.col("message").min(),
        )
        .sort(["verdict", "flows", "name"], descending=[True, True, False])
    )
