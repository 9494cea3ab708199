"""Moments on a page: UTC as the text, the reader's own time in the tooltip.

A table is drawn on a canvas, whose cells have no tooltip: there the head of the column has it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
import streamlit as st

from dashboards.wording import time_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d+)?( UTC)?")


def moment(time_ns: int | None, *, digits: int = 0) -> str:
    """`2026-11-05 10:00:00 UTC` with the reader's own time as its title."""
    shown = time_text(time_ns, digits=digits)
    own = local_text(time_ns, st.context.timezone)
    title = f' title="{escape(own, quote=True)}"' if own else ""
    return f'<time{title} style="white-space:nowrap">{escape(shown)}</time>'


def local_text(time_ns: int | None, zone: str | None) -> str:
    """The time in a zone by its name; "" where the zone or the time cannot be told."""
    if time_ns is None or not zone:
        return ""
    try:
        local = (_EPOCH + timedelta(microseconds=time_ns // 1_000)).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OverflowError, OSError):
        return ""
    return f"{local:%Y-%m-%d %H:%M:%S} {zone}"


def told_zones(table: pl.DataFrame) -> Mapping[str, Any]:
    """For each column of times: its head says what its first time is in the reader's own zone."""
    zone = st.context.timezone
    told: dict[str, Any] = {}
    for name in table.columns if zone else ():
        if table[name].dtype != pl.String:
            continue
        first = next((text for text in table[name].head(50) if text and text != "–"), "")
        found = _TIME.fullmatch(first)
        own = _own(found[1], zone) if found and zone else ""
        if own:
            told[name] = st.column_config.Column(help=f"UTC. {found[1] if found else ''} is {own}")
    return told


def _own(utc: str, zone: str) -> str:
    at = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    text = local_text((at - _EPOCH) // timedelta(microseconds=1) * 1_000, zone)
    return f"{text.removesuffix(f' {zone}')} in {zone}" if text else ""
