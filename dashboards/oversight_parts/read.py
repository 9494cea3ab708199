"""Decisions in scope, joined with what became of them, and the metrics of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import streamlit as st

from analyzer.oversight.flags import read_flags, variants
from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import Case, Measure
from analyzer.oversight.read import join, read_joined, read_one
from analyzer.oversight.report import By, Sliced, measured, metrics, read_prices
from analyzer.oversight.settings import OversightSettings
from dashboards import configured, data
from dashboards.data import Overview
from dashboards.scope import Scope
from store.conclusions import Flow
from store.decision_log import LogCheck, check_log
from store.read import FlowSelection, read_decisions, read_flows

FLOWS_MAX = 200  # flows whose decisions are joined within about a second, of however large a store
WHOLE_MAX = 1_500  # flows of a store that is small enough to be looked at whole
LOGGED_MAX = 1_000  # decisions whose leaves are recomputed without a press
JOINED_MAX = 4_000  # flows with decisions that a page joins, the latest; the command takes all


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Decisions by time, and the flows that were looked at of all with decisions in scope."""

    decisions: Sequence[Joined]
    flows: Sequence[Flow]
    looked_at: int
    whole: int


def looked(overview: Overview, scope: Scope) -> Looked:
    """The decisions of the flows in scope; without a scope also those that belong to no flow."""
    with_some = overview.flows.filter(pl.col("decisions") > 0)
    ids = tuple(with_some["flow_id"].head(JOINED_MAX))
    path = data.store_path()
    every = not scope.narrow and with_some.height <= JOINED_MAX
    decisions, flows = _joined(str(path), data.stamp_of(path), ids, every)
    return Looked(decisions=decisions, flows=flows, looked_at=len(ids), whole=with_some.height)


def of_one(decision_id: str) -> Joined:
    """One decision; NotFoundError names the nearest ids."""
    path = data.store_path()
    return _one(str(path), data.stamp_of(path), decision_id)


def measures(found: Looked, end_ns: int, by: By | None = None) -> list[Sliced]:
    """Every metric of these decisions, but for the log's own; slices where asked."""
    path = data.store_path()
    key = tuple(it.decision.decision_id for it in found.decisions)
    settings, prices = _settings()
    return _measures(str(path), data.stamp_of(path), key, by, found, settings, prices, end_ns)


def measures_of(found: Looked, end_ns: int, names: Sequence[str]) -> list[Measure]:
    """The named metrics of these decisions, in the order of the names; others are not computed."""
    path = data.store_path()
    key = tuple(it.decision.decision_id for it in found.decisions)
    settings, prices = _settings()
    stamp, wanted = data.stamp_of(path), tuple(names)
    return _measures_of(str(path), stamp, key, wanted, found, settings, prices, end_ns)


def drifts(found: Looked, end_ns: int) -> list[tuple[str, Measure]]:
    """How far each model moved, by its name: in time, and from its first version to later ones.

    Two models are never compared: they answer other questions.
    """
    by_model: dict[str, list[Joined]] = {}
    for it in found.decisions:
        by_model.setdefault(it.decision.model_name or "model not recorded", []).append(it)
    return [
        (name, measure)
        for name, decisions in sorted(by_model.items())
        for measure in measures_of(
            Looked(
                decisions=decisions,
                flows=found.flows,
                looked_at=found.looked_at,
                whole=found.whole,
            ),
            end_ns,
            ["drift"],
        )
    ]


def policy_files() -> list[Path]:
    """Policy files that the configuration names, as far as they are there."""
    settings = configured.settings()
    base = settings.source.parent if settings.source else Path()
    named = settings.fill("governance", OversightSettings).policies
    return [base / name for name in named if (base / name).is_file()]


def logged() -> int:
    """How many decisions the log holds."""
    path = data.store_path()
    return _logged(str(path), data.stamp_of(path))


def log_check() -> LogCheck:
    """The state of the whole decision log."""
    path = data.store_path()
    return _log(str(path), data.stamp_of(path))


def _settings() -> tuple[OversightSettings, str]:
    settings = configured.settings()
    found = settings.fill("governance", OversightSettings)
    beside = settings.source.parent / found.prices if settings.source and found.prices else None
    return found, str(beside or found.prices)


@st.cache_resource(max_entries=3, show_spinner="Reading decisions …")
def _joined(
    path: str, stamp: data.Stamp, flow_ids: tuple[str, ...], every: bool
) -> tuple[list[Joined], list[Flow]]:
    del stamp  # only part of the key
    if every:
        return data.held("decisions", read_joined, path)
    with data.one_lease():
        flows = data.held(
            "flows with decisions",
            lambda session: read_flows(session, FlowSelection(flow_ids=list(flow_ids))),
            path,
        )
        wanted = sorted({decision_id for flow in flows for decision_id in flow.decision_ids})
        traces = sorted({trace_id for flow in flows for trace_id in flow.trace_ids})
        decisions, flags = data.held(
            "decisions",
            lambda session: (
                read_decisions(session, decision_ids=wanted),
                read_flags(session, traces),
            ),
            path,
        )
    return join(decisions, flows, variants(flags))


@st.cache_resource(max_entries=8)
def _one(path: str, stamp: data.Stamp, decision_id: str) -> Joined:
    del stamp  # only part of the key
    return data.held("one decision", lambda session: read_one(session, decision_id), path)


def _case(found: Looked, settings: OversightSettings, prices: str, end_ns: int) -> Case:
    return Case(
        decisions=found.decisions,
        flows=found.flows,
        data_end_ns=end_ns,
        settings=settings,
        prices=read_prices(Path(prices)) if prices else {},
    )


@st.cache_resource(max_entries=6, show_spinner="Measuring decisions …")
def _measures(
    path: str,
    stamp: data.Stamp,
    decision_ids: tuple[str, ...],
    by: By | None,
    _found: Looked,
    settings: OversightSettings,
    prices: str,
    end_ns: int,
) -> list[Sliced]:
    del path, stamp, decision_ids  # only parts of the key
    return measured(_case(_found, settings, prices, end_ns), by)


@st.cache_resource(max_entries=24, show_spinner="Measuring decisions …")
def _measures_of(
    path: str,
    stamp: data.Stamp,
    decision_ids: tuple[str, ...],
    names: tuple[str, ...],
    _found: Looked,
    settings: OversightSettings,
    prices: str,
    end_ns: int,
) -> list[Measure]:
    del path, stamp, decision_ids  # only parts of the key
    case = _case(_found, settings, prices, end_ns)
    known = {metric.name: metric for metric in metrics()}
    return [it for name in names for it in known[name].measure(case)]


@st.cache_resource(max_entries=2)
def _logged(path: str, stamp: data.Stamp) -> int:
    del stamp  # only part of the key
    found = data.held("logged decisions", partial(data.asked, name="logged"), path)
    return int(found["leaves"][0])


@st.cache_resource(max_entries=2, show_spinner="Recomputing the log …")
def _log(path: str, stamp: data.Stamp) -> LogCheck:
    del stamp  # only part of the key
    return data.held("the decision log", check_log, path)
