"""What pages ask of all flows in scope, however many: counts, never the flows themselves.

Answers are kept until the file changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from dashboards import data
from dashboards.data import Stamp
from dashboards.scope import Scope
from dashboards.summary import Health, Timeline, bucket_width_ns, health_of, timeline_of
from store.conclusions import Flow, Incident
from store.read import read_clock_skew
from store.read_derived import ClockSkew

ANSWERS_MAX = 64
Params = tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hurt:
    """How many flows, when the first and the last of them began, and whether a check of them is
    violated; else they ended badly."""

    flows: int
    violated: bool
    first_ns: int
    last_ns: int


def service_calls(scope: Scope) -> pl.DataFrame:
    """Calls between services over the flows in scope."""
    first_ns = _of_scope("health", scope)["first_ns"][0]
    return _of_scope("service_calls", scope, (("first_ns", first_ns),))


def scope_health(scope: Scope) -> Health:
    """The counts of the Overview's cards."""
    return health_of(_of_scope("health", scope).row(0, named=True))


def started(scope: Scope) -> tuple[int, int] | None:
    """When the first and the last of the flows in scope began; None without flows."""
    bounds = _of_scope("health", scope).row(0, named=True)
    first, last = bounds["first_start_ns"], bounds["last_start_ns"]
    return None if first is None else (int(first), int(last))


def outcomes(scope: Scope) -> Timeline | None:
    """How the flows in scope ended, over time; None without flows."""
    starts = started(scope)
    if starts is None:
        return None
    first, last = starts
    width = ("width_ns", bucket_width_ns(last - first))
    counted = _of_scope("outcomes_in_time", scope, (width,))
    return timeline_of(counted.rows(), first, last)


def health_in_time(scope: Scope) -> pl.DataFrame:
    """The counts of the cards by bucket of the flows' start, those without a flow as zeros."""
    starts = started(scope)
    if starts is None:
        return pl.DataFrame()
    first, last = starts
    width = bucket_width_ns(last - first)
    counted = _of_scope("health_in_time", scope, (("width_ns", width),))
    every = pl.DataFrame({"bucket": range(first // width, last // width + 1)})
    return every.join(counted, on="bucket", how="left", maintain_order="left").fill_null(0)


def ranked_problems(scope: Scope) -> pl.DataFrame:
    """Checks and detectors with what they found in scope, as `data.Overview.problems`."""
    return _of_scope("ranked_problems", scope, (("every", not scope.narrow),))


def flow_ids(scope: Scope) -> frozenset[str]:
    """Ids of the flows in scope, however many."""
    return frozenset(_of_scope("flow_ids", scope)["flow_id"])


def effect_sums(scope: Scope) -> pl.DataFrame:
    """Amounts left standing in scope, by currency, those told and those not."""
    return _of_scope("effect_sums", scope)


def incidents(scope: Scope) -> tuple[Incident, ...]:
    """Incidents that touch a flow in scope, the latest first; all of them without one."""
    every = data.holdings().incidents
    if not scope.narrow:
        return every
    touched = frozenset(_of_scope("incidents_within", scope)["incident_id"])
    return tuple(one for one in every if one.incident_id in touched)


def services() -> pl.DataFrame:
    """Services with their spans, failed spans and flows, over the whole store."""
    return of_store("services")


def of_store(name: str, **params: int | tuple[str, ...]) -> pl.DataFrame:
    """The answer to a question that asks for no scope."""
    path = data.store_path()
    return _asked(str(path), data.stamp_of(path), name, tuple(params.items()))


def first_seen(scope: Scope) -> pl.DataFrame:
    """When each version of each kind of flow was first seen in scope, and in which flow."""
    return _of_scope("first_seen", scope)


def running(scope: Scope, start_ns: int, end_ns: int) -> int:
    """How many flows in scope ran at some time between these moments."""
    found = _of_scope("running", scope, (("start_ns", start_ns), ("end_ns", end_ns)))
    return int(found["flows"][0])


def hurt(scope: Scope) -> Hurt | None:
    """Flows in scope that violate a check, else those that ended badly; None without any."""
    row = _of_scope("hurt", scope).row(0, named=True)
    return Hurt(**row) if row["flows"] else None


def doubted(scope: Scope) -> Mapping[str, int]:
    """How many flows in scope are not whole, or were sampled."""
    return _of_scope("doubts", scope).row(0, named=True)


def taking_part(scope: Scope, parts: int) -> list[dict[str, Any]]:
    """Flows of each kind, and of them those each service took part in, by part of the range."""
    return _of_scope("taking_part", scope, (("parts", parts),)).to_dicts()


def severities(flow_ids: Sequence[str]) -> pl.DataFrame:
    """How many findings of each severity say violated or suspected of these flows."""
    path = data.store_path()
    params = (("flow_ids", tuple(flow_ids)),)
    return _asked(str(path), data.stamp_of(path), "severities", params)


def nearest_success(flow: Flow) -> str | None:
    """The flow of the same kind that succeeded nearest in time, of the same version if any did."""
    path = data.store_path()
    params = (
        ("flow_id", flow.flow_id),
        ("name", flow.name),
        ("version", flow.version),
        ("start_ns", flow.start_ns),
    )
    found = _asked(str(path), data.stamp_of(path), "nearest_success", params)
    return str(found["flow_id"][0]) if found.height else None


def flows_of_call(scope: Scope, caller: str, callee: str, how: str) -> frozenset[str]:
    """Ids of flows that began in the scope's range where one service calls another; `how` is "",
    failed or retried."""
    params = (("caller", caller), ("callee", callee), ("how", how))
    return _reached("flows_of_call", scope, ("first_ns",), params)


def flows_with(scope: Scope, attribute: str, value: str) -> frozenset[str]:
    """Ids of flows that began in the scope's range with a span that has this attribute, or resource
    attribute, with this text."""
    pointer = "/" + attribute.replace("~", "~0").replace("/", "~1")
    params = (("pointer", pointer), ("value", value))
    return _reached("flows_with_attribute", scope, ("low_ns", "high_ns"), params)


def _reached(name: str, scope: Scope, bounds: Sequence[str], more: Params) -> frozenset[str]:
    """Ids of flows that a question finds which looks at their time only."""
    path = data.store_path()
    stamp = data.stamp_of(path)
    began = (("since_ns", scope.since_ns), ("until_ns", scope.until_ns))
    with data.one_lease():
        (reach,) = _asked(str(path), stamp, "reach", began).iter_rows(named=True)
        within = tuple((bound, reach[bound]) for bound in bounds)
        return frozenset(_asked(str(path), stamp, name, (*began, *within, *more))["flow_id"])


def clock_skew() -> tuple[ClockSkew, ...]:
    """How far services' clocks are apart, over all calls in the store."""
    path = data.store_path()
    return _clock_skew(str(path), data.stamp_of(path))


@st.cache_resource(max_entries=2, show_spinner="Reading clocks …")
def _clock_skew(path: str, stamp: Stamp) -> tuple[ClockSkew, ...]:
    del stamp  # only part of the key
    return tuple(data.held("clocks of services", read_clock_skew, path))


def _of_scope(name: str, scope: Scope, more: Params = ()) -> pl.DataFrame:
    path = data.store_path()
    params = {**data.params_of(scope), **dict(more)}
    named = tuple(
        (key, tuple(value) if isinstance(value, list) else value) for key, value in params.items()
    )
    return _asked(str(path), data.stamp_of(path), name, named)


@st.cache_resource(max_entries=ANSWERS_MAX, show_spinner="Reading the store …")
def _asked(path: str, stamp: Stamp, name: str, params: Params) -> pl.DataFrame:
    del stamp  # only part of the key
    bound = {key: list(value) if isinstance(value, tuple) else value for key, value in params}
    return data.held(name.replace("_", " "), partial(data.asked, name=name, params=bound), path)
