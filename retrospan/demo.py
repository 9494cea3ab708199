"""A recorded incident from raw telemetry to a post-mortem, in one command."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.slo.evaluate import read_facts, report
from analyzer.slo.openslo import read_slos
from retrospan import samples
from retrospan.edge import Edge
from retrospan.incident import declare, overlaps
from retrospan.incident_search import search
from retrospan.loading import derive, load
from retrospan.objectives import standing
from retrospan.replaying import Replayer
from retrospan.report.build import build
from retrospan.report.check import Verified, read_report, verify
from retrospan.report.gathering import Programs, facts_of
from retrospan.report.model import Document
from retrospan.report.objectives import beside, objectives
from retrospan.report.save import save
from store import read, write
from store.conclusions import Incident
from store.errors import DataError

# The samples are invented and public; a known key makes the demo the same everywhere.
DEMO_KEY = b"retrospan demo: nothing here is secret"
STORE_NAME = "retrospan.duckdb"
REPORT_NAME = "post-mortem.md"
DEMO_SUFFIXES = (".md", ".html")
SLOS = Path(__file__).resolve().parent / "slos"
SCENARIOS = Path(__file__).resolve().parent / "scenarios"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the demo made."""

    document: Document
    store: Path
    written: list[Path]
    verified: list[Verified]


def run(edge: Edge, sample: str, out: Path, show: Callable[[str], None]) -> Demo:
    """The whole way; progress is told on standard error."""
    folder = samples.find(sample)
    edge = replace(edge, db=_fresh(out))
    with _stage(edge, f"load {sample}") as told:
        loaded = load(edge, [str(folder)], None, show, DEMO_KEY)
        told.append(f"{loaded.total('spans')} spans, {loaded.total('decisions')} decisions")
    with _stage(edge, "derive flows and verify them") as told:
        told.append(derive(edge, show))
    if (named := _slo_file(sample)) is not None:
        with _stage(edge, "hold them to their objectives") as told:
            told += _standing(edge, named)
    with _stage(edge, "find the incident") as told:
        incident, flow_ids = _incident(edge, sample)
        told.append(f"{incident.incident_id}, {incident.title}")
        told.append(f"{len(flow_ids)} flows in its window")
    with _stage(edge, "replay the window, unchanged") as told:
        replayer = Replayer(edge)
        results = replayer.run(flow_ids, None, show)
        same = sum(result.verdict in ("identical", "equivalent") for result in results)
        told.append(f"{same} of {len(results)} as recorded")
    scenario = _scenario(sample, folder)
    if scenario is not None:
        with _stage(edge, "replay the window, what if") as told:
            results = replayer.run(flow_ids, scenario, show)
            claimed = sum(result.claim is not None for result in results)
            told.append(f"{claimed} of {len(results)} make a claim")
    programs = replayer.programs
    with _stage(edge, "look for the cause, write the post-mortem"):
        document = _document(edge, incident.incident_id, _objectives(sample, out), programs)
        written = save(document, out / REPORT_NAME, DEMO_SUFFIXES)
    with _stage(edge, "recompute the post-mortem from the store") as told:
        files = beside(document.objectives, out)
        again = _document(edge, incident.incident_id, files, programs, anew=True)
        verified = [_verified(path, again) for path in written]
        told.append(f"{verified[0].recomputed} of {verified[0].statements} lines say the same")
    return Demo(document=document, store=edge.db, written=written, verified=verified)


def _document(
    edge: Edge, incident_id: str, files: Sequence[Path], programs: Programs, *, anew: bool = False
) -> Document:
    held_to = objectives(files, edge.settings())
    return build(facts_of(edge, incident_id, held_to, programs, anew=anew))


def _verified(path: Path, document: Document) -> Verified:
    return verify(read_report(path), document, html=path.suffix == ".html")


def _slo_file(sample: str) -> Path | None:
    """The objectives of the sample's system."""
    named = SLOS / f"{sample.partition('-')[0]}.yaml"
    return named if named.is_file() else None


def _standing(edge: Edge, named: Path) -> list[str]:
    """How each objective stands at the end of the data."""
    with edge.reading("holding the sample to its objectives") as session:
        flows = read_facts(session)
        end_ns = read.counts(session).data_end_ns
    return [standing(one) for one in report(read_slos([named]), flows, (end_ns or 0) + 1)]


def _objectives(sample: str, out: Path) -> list[Path]:
    """The sample's objectives, put beside the report so that it can be recomputed there."""
    named = _slo_file(sample)
    if named is None:
        return []
    copy = out / named.name
    try:
        copy.write_bytes(named.read_bytes())
    except OSError as error:
        raise DataError(f"{copy} cannot be written: {error.strerror or error}") from error
    return [copy]


@contextmanager
def _stage(edge: Edge, name: str) -> Iterator[list[str]]:
    """Tell how long a stage took, and what it says of itself."""
    started = time.monotonic()
    told: list[str] = []
    yield told
    edge.say(f"{time.monotonic() - started:5.1f} s  {'; '.join([name, *told])}")


def _fresh(out: Path) -> Path:
    """The path of the demo's store; an earlier demo's is removed, nothing else is."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        store = out / STORE_NAME
        for path in (store, store.with_name(f"{STORE_NAME}.wal")):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{out} cannot be used for the demo: {error.strerror or error}") from error
    return store


def _incident(edge: Edge, sample: str) -> tuple[Incident, list[str]]:
    """The incident with the most affected flows that burn rates show, with all flows of its time;
    where they show none, all data is declared to be one."""
    incidents, _ = search(edge)
    with edge.reading("reading the flows of the incident") as session:
        flows = read.read_flows(session)
        sagas = read.read_sagas(session)
    if not flows:
        raise DataError(f"sample {sample}: its recordings gave no flow")
    incident = max(incidents, key=lambda one: (len(one.flow_ids), -one.start_ns), default=None)
    if incident is None:
        ends = [flow.start_ns if flow.end_ns is None else flow.end_ns for flow in flows]
        incident = declare(
            flows=flows,
            sagas=sagas,
            start_ns=min(flow.start_ns for flow in flows),
            end_ns=max(ends),
            title=f"{sample}, all of it: no incident was found",
            declared_by="demo",
        )
        with edge.lease("declaring the demo's incident") as session:
            write.write_incident(session, incident)
    start_ns, end_ns = incident.start_ns, incident.end_ns
    return incident, [flow.flow_id for flow in flows if overlaps(flow, start_ns, end_ns)]


def _scenario(sample: str, folder: Path) -> Path | None:
    """The what-if that belongs to the sample, if there is one."""
    for path in (folder / "scenario.yaml", SCENARIOS / f"{sample}.yaml"):
        if path.is_file():
            return path
    return None
