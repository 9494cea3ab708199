"""An axis of moments shows UTC; a tooltip over a moment shows the reader's own time too."""

from types import SimpleNamespace
from typing import Any

import pytest
import streamlit

from dashboards import chart_axes
from dashboards.chart_axes import time_axis
from dashboards.wording import time_text

HOUR = 3_600_000_000_000
NOON = 1_767_268_800_000_000_000  # 2026-01-01T12:00:00Z


def shown(monkeypatch: pytest.MonkeyPatch, zone: str | None, moments: int = 2) -> dict[str, Any]:
    context = SimpleNamespace(timezone=zone, theme=SimpleNamespace(type="light"))
    monkeypatch.setattr(streamlit, "context", context)
    return time_axis(
        [NOON + at * HOUR for at in range(moments)], lambda at_ns: time_text(at_ns, digits=0)[11:16]
    )


def test_a_moment_is_named_by_utc_and_then_by_the_readers_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = shown(monkeypatch, "Asia/Kolkata")["data"]
    assert first.split("  ")[0] == "12:00"
    assert first.endswith("UTC, 2026-01-01 17:30:00 Asia/Kolkata")
    assert second.startswith("13:00")


def test_without_a_zone_there_is_only_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, None)["data"] == ["12:00", "13:00"]


def test_long_axes_leave_labels_out_rather_than_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    label = shown(monkeypatch, "Asia/Kolkata", 70)["axisLabel"]
    assert label["interval"] == 11
    assert label["width"] == 5 * chart_axes.LETTER_PX
