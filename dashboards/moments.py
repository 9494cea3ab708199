"""Moments in HTML: UTC on the page, the reader's own time in the tooltip."""

from datetime import UTC, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from dashboards.wording import time_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
