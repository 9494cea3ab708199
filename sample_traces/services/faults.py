"""The seeded fault plan: what each service does to the nth request of a flow."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A rule that holds for the flows `first`..`last` at one operation of one service."""

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
    """Share of flows of which every request fails without effect."""
    error_status: int = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What happens to one request."""

    latency_s: float
    error_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version of a service that works on a share of the flows `first`..`last`."""

    service: str
    version: str
    first: int
    last: int
    share: float = 1.0
    policy: str | None = None

    @property
    def process(self) -> str:
        """The name of its process."""
        return f"{self.service}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRule:
    """From the flow `first` on, a feature flag gives its variant to a share of the flows."""

    first: int
    flag: str
    variant: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A named stretch of flows, as a person would tell the story."""

    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a recording is made of besides the code."""

    name: str
    system: str
    """The package that runs it."""
    seed: int
    flows: int
    interval_ms: float
    concurrency: int
    shares: dict[str, float]
    """How often what is neither fault nor rule happens: declines, empty shelves."""
    latency_ms: dict[str, tuple[float, float]]
    releases: tuple[Release, ...]
    phases: tuple[Phase, ...]
    windows: tuple[Window, ...]
    incident: tuple[int, int, int] | None
    """First flow under fault, first flow after the mitigation, first flow after recovery."""
    flags: tuple[FlagRule, ...] = ()
    crashes: dict[str, list[int]] = field(default_factory=dict)
    """Flows at whose first message a service crashes when its work is done but not acknowledged."""
    drift: tuple[int, int] | None = None
    """First and last flow for which a provider answers in another shape."""
    prefix: str = "order"
    """Tells the flows of one recording from those of another in the same store."""

    def flow_id(self, index: int) -> str:
        """The name of one flow, such as `order-000123`."""
        return f"{self.prefix}-{index:06d}"

    def draw(self, *parts: str | int) -> float:
        """A number in [0, 1) that depends on the seed and the parts only."""
        text = "/".join(map(str, (self.seed, *parts)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56

    def fate(self, service: str, operation: str, index: int, nth: int) -> Fate:
        """Latency and error of the nth request of a flow at one operation."""
        where = (service, operation, index)
        low, high = self.latency_ms[f"{service} {operation}"]
        latency_ms = low + (high - low) * self.draw("latency", *where, nth) ** 2
        error: int | None = None
        for window in self.windows:
            if (window.service, window.operation) != (service, operation):
                continue
            if not window.first <= index <= window.last:
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

    def release(self, service: str, index: int) -> Release:
        """The version of a service that gets this flow."""
        point = self.draw("route", index)
        for release in self.releases:
            if release.service == service and release.first <= index <= release.last:
                if point < release.share:
                    return release
                point -= release.share
        raise ValueError(f"plan {self.name}: no release of {service} covers flow {index}")


def index_of(flow_id: str) -> int:
    """`order-000123` is the flow 123."""
    return int(flow_id.rsplit("-", 1)[1])


def _pair(value: Any) -> tuple[float, float]:
    low, high = value
    return float(low), float(high)


def load_plan(name: str) -> Plan:
    """Read `SYSTEM/plans/NAME.toml`."""
    path = next(HERE.glob(f"*/plans/{name}.toml"), None)
    if path is None:
        raise ValueError(f"there is no plan {name}")
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    windows = [
        Window(**{**window, "slow_ms": _pair(window.get("slow_ms", (0, 0)))})
        for window in raw.pop("windows")
    ]
    incident, drift = raw.pop("incident", None), raw.pop("drift", None)
    return Plan(
        name=name,
        system=path.parents[1].name,
        latency_ms={where: _pair(span) for where, span in raw.pop("latency_ms").items()},
        releases=tuple(Release(**release) for release in raw.pop("releases")),
        phases=tuple(Phase(**phase) for phase in raw.pop("phases")),
        windows=tuple(windows),
        incident=tuple(incident) if incident else None,
        drift=tuple(drift) if drift else None,
        flags=tuple(FlagRule(**rule) for rule in raw.pop("flags", ())),
        **raw,
    )
