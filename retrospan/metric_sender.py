"""Metrics sent as OTLP over HTTP, as often as OpenTelemetry's variables say.

Off unless `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT` is set. A thread
of our own rather than the SDK's periodic reader: that one starts again in every forked worker.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from analyzer.slo.export.text import Family
from retrospan.telemetry import SECONDS_MAX, SELF, SERVICE, place

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
INTERVAL_MS = 60_000

Families = Callable[[], Sequence[Family]]


def endpoint(environment: Mapping[str, str] | None = None) -> str | None:
    """Where metrics are sent; None when they are off."""
    given = os.environ if environment is None else environment
    if given.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if given.get("OTEL_METRICS_EXPORTER", "").strip().lower() == "none":
        return None
    return next((value for name in ENDPOINTS if (value := given.get(name, "").strip())), None)


def interval_seconds(environment: Mapping[str, str] | None = None) -> float:
    """Seconds between two exports; what is no number of milliseconds above 0 is a minute."""
    given = os.environ if environment is None else environment
    text = given.get(INTERVAL, "").strip()
    return (int(text) if text.isdecimal() and int(text) else INTERVAL_MS) / 1_000


class MetricSender:
    """A thread that sends what `families` tells until it is stopped, then once more."""

    def __init__(
        self,
        names: Sequence[Family],
        families: Families,
        seconds: float,
        tell: Callable[[str], None],
    ) -> None:
        self._reader = _reader(names, families)
        self._seconds, self._tell = seconds, tell
        self._stopping = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="retrospan-metrics")
        self._thread.start()

    def stop(self) -> None:
        """Send once more, then end."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self._once()
        self._once()

    def _once(self) -> None:
        sent = _sent(self._reader)
        if not sent and not self._failed:
            self._tell(f"metrics were not sent: {place(endpoint() or '')} does not take them")
        self._failed = not sent


def _reader(names: Sequence[Family], families: Families) -> "InMemoryMetricReader":
    from opentelemetry.metrics import Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.resources import Resource

    from retrospan import version

    def observed(name: str) -> "Callable[[CallbackOptions], Iterable[Observation]]":
        def callback(options: "CallbackOptions") -> "Iterable[Observation]":
            del options
            for family in families():
                if family.name == name:
                    for it in family.samples:
                        yield Observation(
                            it.value.numerator / it.value.denominator, dict(it.labels)
                        )

        return callback

    reader = InMemoryMetricReader()
    resource = Resource.create({"service.name": SERVICE, "service.version": version(), SELF: True})
    meter = MeterProvider([reader], resource, shutdown_on_exit=False).get_meter(SERVICE, version())
    for family in names:
        if family.kind == "counter":
            meter.create_observable_counter(
                family.name.removesuffix("_total").replace("_", "."),
                [observed(family.name)],
                description=family.meaning,
            )
        else:
            ratio = family.name.endswith("_ratio")
            meter.create_observable_gauge(
                family.name.removesuffix("_ratio").replace("_", "."),
                [observed(family.name)],
                unit="1" if ratio else "",
                description=family.meaning,
            )
    return reader


def _sent(reader: "InMemoryMetricReader") -> bool:
    """Whether the collector took them. Nothing that goes wrong here may reach the server."""
    log = logging.getLogger("opentelemetry")
    quiet = logging.NullHandler()
    was, log.propagate = log.propagate, False
    log.addHandler(quiet)
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics.export import MetricExportResult

        data = reader.get_metrics_data()
        if data is None:
            return True
        exporter = OTLPMetricExporter(timeout=SECONDS_MAX)
        try:
            return exporter.export(data) is MetricExportResult.SUCCESS
        finally:
            exporter.shutdown()
    except Exception:
        return False
    finally:
        log.removeHandler(quiet)
        log.propagate = was
