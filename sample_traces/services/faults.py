"""The seeded fault plan: what each service does to the nth request of an order."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLANS = Path(__file__).parent / "plans"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A rule that holds for the orders `first`..`last` at one operation of one service."""

    service: str
    operation: str
    first: int
    last: int
    slow_share: float = 0.0
    slow_ms: tuple[float, float] = (0.0, 0.0)
    slow_effect_share: float = 1.0
    """Of the slow requests, the share that still takes effect at its late end."""
    error_share: float = 0.0
    """Share of requests that fail without effect."""
    stuck_share: float = 0.0
    """Share of orders of which every request fails without effect."""
    error_status: int = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What happens to one request."""

    latency_s: float
    error_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An orchestrator version that gets a share of the orders `first`..`last`."""

    version: str
    policy: str
    first: int
    last: int
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A named stretch of orders, as a person would tell the story."""

    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a recording is made of besides the code."""

    name: str
    seed: int
    flows: int
    interval_ms: float
    concurrency: int
    decline_share: float
    invalid_share: float
    out_of_stock_share: float
    latency_ms: dict[str, tuple[float, float]]
    releases: tuple[Release, ...]
    phases: tuple[Phase, ...]
    windows: tuple[Window, ...]
    incident: tuple[int, int, int] | None
    """First order under fault, first order after the mitigation, first order after recovery."""
    order_prefix: str = "order"
    """Tells the orders of one recording from those of another in the same store."""

    def order_id(self, index: int) -> str:
        """The name of one order, such as `order-000123`."""
        return f"{self.order_prefix}-{index:06d}"

    def draw(self, *parts: str | int) -> float:
        """A number in [0, 1) that depends on the seed and the parts only."""
        text = "/".join(map(str, (self.seed, *parts)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56

    def fate(self, service: str, operation: str, order: int, nth: int) -> Fate:
        """Latency and error of the nth request of an order at one operation."""
        where = (service, operation, order)
        low, high = self.latency_ms[f"{service} {operation}"]
        latency_ms = low + (high - low) * self.draw("latency", *where, nth) ** 2
        error: int | None = None
        for window in self.windows:
            if (window.service, window.operation) != (service, operation):
                continue
            if not window.first <= order <= window.last:
                continue
            if self.draw("stuck", *where) < window.stuck_share:
                error = window.error_status
                continue
            if self.draw("error", *where, nth) < window.error_share:
                error = window.error_status
                continue
            if self.draw("slow", *where, nth) < window.slow_share:
                low, high = window.slow_ms
                latency_ms = low + (high - low) * self.draw("slowness", *where, nth)
                if self.draw("lost", *where, nth) >= window.slow_effect_share:
                    error = 503
        return Fate(latency_s=latency_ms / 1000, error_status=error)

    def release(self, order: int) -> Release:
        """The version that gets this order."""
        point = self.draw("route", order)
        for release in self.releases:
            if release.first <= order <= release.last:
                if point < release.share:
                    return release
                point -= release.share
        raise ValueError(f"plan {self.name}: no release covers order {order}")


def order_index(order_id: str) -> int:
    """`order-000123` is the order 123."""
    return int(order_id.rsplit("-", 1)[1])


def _pair(value: Any) -> tuple[float, float]:
    low, high = value
    return float(low), float(high)


def load_plan(name: str) -> Plan:
    """Read `plans/NAME.toml`."""
    raw = tomllib.loads((PLANS / f"{name}.toml").read_text(encoding="utf-8"))
    windows = [
        Window(**{**window, "slow_ms": _pair(window.get("slow_ms", (0, 0)))})
        for window in raw.pop("windows")
    ]
    incident = raw.pop("incident", None)
    return Plan(
        name=name,
        latency_ms={where: _pair(span) for where, span in raw.pop("latency_ms").items()},
        releases=tuple(Release(**release) for release in raw.pop("releases")),
        phases=tuple(Phase(**phase) for phase in raw.pop("phases")),
        windows=tuple(windows),
        incident=tuple(incident) if incident else None,
        **raw,
    )
