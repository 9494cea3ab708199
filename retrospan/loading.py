"""Loading and deriving, as the commands and the demo do both."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from retrospan import telemetry
from retrospan.config import Settings, redaction_key
from retrospan.edge import Edge
from store.errors import UsageError

if TYPE_CHECKING:
    from ingest.pipeline import IngestSettings, Progress
    from ingest.report import IngestReport

BAR_CHARS = 24

Show = Callable[[str], None]


@telemetry.phase("ingest")
def load(
    edge: Edge,
    paths: Sequence[str],
    form: str | None,
    show: Show,
    key: bytes | None = None,
    codec: str = "",
) -> "IngestReport":
    """Files into the store, redacted on the way; `key` is the user's own unless given.

    `codec` is the address of a codec server for Temporal's payloads.
    """
    from ingest.pipeline import ingest_paths

    report = ingest_paths(
        edge.store(),
        paths,
        replace(ingest_settings(edge.settings(), form, key or redaction_key()), codec=codec),
        lambda seen: show(_bar(seen)),
    )
    show("")
    return report


def _bar(seen: "Progress") -> str:
    """How much of all inputs is read, and which one is being read."""
    where = f"{seen.number}/{seen.inputs} {seen.path}: {seen.records} records"
    if not seen.bytes_total:
        return where
    done = seen.bytes_read / seen.bytes_total
    filled = round(BAR_CHARS * done)
    return f"[{'#' * filled}{'.' * (BAR_CHARS - filled)}] {done:4.0%}  {where}"


def ingest_settings(settings: Settings, form: str | None, key: bytes) -> "IngestSettings":
    """How inputs are read, from the tables `ingest`, `redaction` and `aliases`."""
    from ingest.aliases import Aliases
    from ingest.own_rules import OwnRules
    from ingest.pipeline import IngestSettings

    names = settings.names("aliases")
    _check_canonical(names)
    try:
        aliases = Aliases(names=names)
    except ValueError as error:
        raise UsageError(f"{settings.source}: [aliases] {error}") from error
    return settings.fill(
        "ingest",
        IngestSettings,
        redaction_key=key,
        format=form,
        own_rules=settings.fill("redaction", OwnRules),
        aliases=aliases,
    )


def _check_canonical(names: Iterable[str]) -> None:
    """A name in our own space that nobody reads is a slip of the pen."""
    from analyzer import conventions

    read = {
        name
        for value in vars(conventions).values()
        for name in (value if isinstance(value, tuple) else (value,))
        if isinstance(name, str) and name.startswith("retrospan.")
    }
    for name in names:
        if name.startswith("retrospan.") and name not in read:
            near = get_close_matches(name, sorted(read), n=3, cutoff=0.0)
            raise UsageError(f"[aliases] {name} is read by nothing; the nearest: {', '.join(near)}")


@telemetry.phase("rebuild")
def derive(edge: Edge, show: Show) -> str:
    """Flows, verdicts and findings out of what was loaded; a line that says how many."""
    from analyzer.population import PopulationSettings, judge_population
    from analyzer.rebuild import rebuild
    from retrospan.declared import flow_settings

    settings = edge.settings()
    of_flows = flow_settings(settings)
    of_many = PopulationSettings(
        detectors=_detector_settings(settings),
        grace_ns=of_flows.grace_ns,
        unknown_sampling=of_flows.unknown_sampling,
    )
    store = edge.store()
    report = rebuild(
        store,
        of_flows,
        lambda stage, done: show(f"{stage}: {done}"),
        processes=available_processors(),
    )
    judged = judge_population(store, of_many, lambda stage, done: show(f"{stage}: {done}"))
    show("")
    told = f"flows derived: {report.flows} from {report.spans} spans; findings: {report.findings}"
    if judged.overtaken:
        return f"{told}; data kept coming in, what concerns many flows is judged next time"
    return f"{told}, of many flows: {judged.findings}" if judged.written else told


def available_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _detector_settings(settings: Settings) -> dict[str, object]:
    """What `[detectors.NAME]` sets; a name that is no such detector is refused."""
    from analyzer.detectors import population_detectors

    return settings.fill_each("detectors", {it.name: it.settings for it in population_detectors()})
