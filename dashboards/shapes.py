"""Flows of the same shape, `Flow.variant`: the same steps in the same order with the same ends."""

from functools import partial

import streamlit as st

from dashboards import data
from dashboards.data import Stamp
from store.conclusions import Flow


def flows_shaped(shape: str) -> frozenset[str]:
    """Ids of all flows of a shape."""
    path = data.store_path()
    return _flows_shaped(str(path), data.stamp_of(path), shape)


def alike(flow: Flow) -> tuple[int, int]:
    """How many flows have this one's shape, itself among them, and how many have its name."""
    path = data.store_path()
    return _alike(str(path), data.stamp_of(path), flow.variant, flow.name)


@st.cache_resource(max_entries=16, show_spinner="Finding flows …")
def _flows_shaped(path: str, stamp: Stamp, shape: str) -> frozenset[str]:
    del stamp  # only part of the key
    question = partial(data.asked, name="shape_flows", params={"shape": shape})
    return frozenset(data.held("flows of a shape", question, path)["flow_id"])


@st.cache_resource(max_entries=64, show_spinner=False)
def _alike(path: str, stamp: Stamp, shape: str, name: str) -> tuple[int, int]:
    del stamp  # only part of the key
    question = partial(data.asked, name="shape_count", params={"shape": shape, "name": name})
    shaped, named = data.held("flows of a shape", question, path).row(0)
    return int(shaped), int(named)
