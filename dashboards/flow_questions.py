"""What the pages about flows ask the store beyond the list of all flows; answers are kept until
the file changes."""

from functools import partial

import polars as pl
import streamlit as st

from dashboards import data
from dashboards.data import Stamp
from dashboards.scope import Scope
from store.read import read_clock_skew
from store.read_derived import ClockSkew


def service_calls(scope: Scope, flows: pl.DataFrame) -> pl.DataFrame:
    """Calls between services over the flows in scope; `flows` are those."""
    path = data.store_path()
    flow_ids = tuple(flows["flow_id"]) if scope.environment else None
    key = (scope.since_ns, scope.until_ns, tuple(scope.services), flow_ids)
    return _service_calls(str(path), data.stamp_of(path), key)


def flows_of_call(caller: str, callee: str, how: str) -> frozenset[str]:
    """Ids of flows where one service calls another; `how` is "", failed or retried."""
    path = data.store_path()
    params = (("caller", caller), ("callee", callee), ("how", how))
    return _flow_ids(str(path), data.stamp_of(path), "flows_of_call", params)


def flows_with(attribute: str, value: str) -> frozenset[str]:
    """Ids of flows with a span that has this attribute, or resource attribute, with this text."""
    path = data.store_path()
    pointer = "/" + attribute.replace("~", "~0").replace("/", "~1")
    params = (("pointer", pointer), ("value", value))
    return _flow_ids(str(path), data.stamp_of(path), "flows_with_attribute", params)


def clock_skew() -> tuple[ClockSkew, ...]:
    """How far services' clocks are apart, over all calls in the store."""
    path = data.store_path()
    return _clock_skew(str(path), data.stamp_of(path))


@st.cache_resource(max_entries=2, show_spinner="Reading clocks …")
def _clock_skew(path: str, stamp: Stamp) -> tuple[ClockSkew, ...]:
    del stamp  # only part of the key
    return tuple(data.held("clocks of services", read_clock_skew, path))


@st.cache_resource(max_entries=8, show_spinner="Counting calls …")
def _service_calls(path: str, stamp: Stamp, key: tuple[object, ...]) -> pl.DataFrame:
    del stamp  # only part of the key
    since_ns, until_ns, services, flow_ids = key
    params = {
        "since_ns": since_ns,
        "until_ns": until_ns,
        "services": list(services) if isinstance(services, tuple) and services else None,
        "flow_ids": list(flow_ids) if isinstance(flow_ids, tuple) else None,
    }
    return data.held("service map", partial(data.asked, name="service_calls", params=params), path)


@st.cache_resource(max_entries=16, show_spinner="Finding flows …")
def _flow_ids(
    path: str, stamp: Stamp, name: str, params: tuple[tuple[str, str], ...]
) -> frozenset[str]:
    del stamp  # only part of the key
    question = partial(data.asked, name=name, params=dict(params))
    return frozenset(data.held("finding flows", question, path)["flow_id"])
