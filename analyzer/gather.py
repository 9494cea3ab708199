"""What is read of a store to derive flows from: some traces, and all that may be tied to them."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from analyzer.assign import AssignSettings, FlowRows, assign
from analyzer.sagas import Coverage, ServiceCoverage
from store.lease import Store
from store.model import Decision, LogRecord, Span
from store.query import ask
from store.read import read_decisions, read_dirty, read_logs, read_spans
from store.session import Session

HERE = Path(__file__).parent
RELATED = HERE / "assign" / "related_traces.sql"
FLOWS_OF_TRACES = HERE / "assign" / "flows_of_traces.sql"
OVERUSED = HERE / "assign" / "overused.sql"
TRACES_OF_FLOWS = HERE / "assign" / "traces_of_flows.sql"
COVERAGE = HERE / "sagas" / "coverage.sql"

ROUNDS_MAX = 64
"""Steps from flow to flow over shared traces; a longer chain is cut and joined next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Everything that any flow of the asked traces can consist of.

    `closed_ids` are the traces whose relations were all followed: a write makes them clean.
    """

    generation: int
    trace_ids: Sequence[str]
    closed_ids: Sequence[str]
    spans: Sequence[Span]
    logs: Sequence[LogRecord]
    decisions: Sequence[Decision]
    coverage: Coverage
    earlier_flow_ids: Sequence[str]


class Gatherer:
    """Reads chunk after chunk; what is the same for all of one generation is asked once."""

    def __init__(
        self, store: Store, settings: AssignSettings, grace_ns: int, unknown_sampling: bool
    ) -> None:
        self._store = store
        self._settings = settings
        self._grace_ns = grace_ns
        self._unknown_sampling = unknown_sampling
        self._coverage: tuple[int, Coverage] | None = None

    def gather(self, chunk: Sequence[str]) -> tuple[Recorded, list[FlowRows]]:
        """Records of these traces and of older flows that turn out to bear the same ids."""
        recorded = self._read(chunk)
        overused: set[str] = set()
        rows = self._assign(recorded, overused)
        for _ in range(ROUNDS_MAX):
            names = sorted({name for flow in rows for name in (flow.flow_id, *flow.aliases)})
            with self._store.reading("derive flows: read") as session:
                known = {"names": names, "flows_max": self._settings.traces_per_value_max}
                found = set(ask(session, OVERUSED, known)["name"]) - overused
                overused |= found
                asked = {
                    "flow_ids": [name for name in names if name not in overused],
                    "trace_ids": list(recorded.trace_ids),
                }
                more = ask(session, TRACES_OF_FLOWS, asked)["trace_id"].to_list()
                if not more and not found:
                    return recorded, rows
                wider = sorted({*recorded.trace_ids, *more})
                recorded = self._records(session, recorded.generation, wider, recorded.closed_ids)
            rows = self._assign(recorded, overused)
        return recorded, rows

    def _assign(self, recorded: Recorded, overused: AbstractSet[str]) -> list[FlowRows]:
        return assign(recorded.spans, recorded.logs, recorded.decisions, self._settings, overused)

    def _read(self, chunk: Sequence[str]) -> Recorded:
        with self._store.reading("derive flows: read") as session:
            generation = read_dirty(session).generation
            trace_ids = set(chunk)
            fresh = sorted(trace_ids)
            for _ in range(ROUNDS_MAX):
                found = ask(session, RELATED, {"trace_ids": fresh})["trace_id"].to_list()
                fresh = sorted(set(found) - trace_ids)
                if not fresh:
                    break
                trace_ids.update(fresh)
            closed = sorted(trace_ids)
            return self._records(session, generation, closed, closed)

    def _records(
        self,
        session: Session,
        generation: int,
        trace_ids: Sequence[str],
        closed_ids: Sequence[str],
    ) -> Recorded:
        earlier = ask(session, FLOWS_OF_TRACES, {"trace_ids": list(trace_ids)})
        return Recorded(
            generation=generation,
            trace_ids=trace_ids,
            closed_ids=closed_ids,
            spans=read_spans(session, trace_ids),
            logs=read_logs(session, trace_ids),
            decisions=read_decisions(session, trace_ids),
            coverage=self._coverage_at(session, generation),
            earlier_flow_ids=earlier["flow_id"].to_list(),
        )

    def _coverage_at(self, session: Session, generation: int) -> Coverage:
        if self._coverage is None or self._coverage[0] != generation:
            self._coverage = (generation, self._ask_coverage(session))
        return self._coverage[1]

    def _ask_coverage(self, session: Session) -> Coverage:
        services = {
            name: ServiceCoverage(first_ns=first_ns, last_ns=last_ns)
            for name, first_ns, last_ns in ask(session, COVERAGE, {}).iter_rows()
        }
        return Coverage(
            services=services,
            data_end_ns=max((it.last_ns for it in services.values()), default=0),
            grace_ns=self._grace_ns,
            unknown_sampling=self._unknown_sampling,
        )
