"""The rows of each flow, out of records of many."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.assign.ties import AssignSettings, Closure, Unit, close, correlation, units_of
from analyzer.assign.values import baggage_value, conversation_of, message_of, workflow_of
from analyzer.conventions import FLOW_ID, SpanKey, key_of, text
from store.model import Decision, LogRecord, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRows:
    """Everything recorded of one flow.

    `ties` says why its traces belong together; `aliases` are the ids it would have had with less
    data, under which it may stand in older answers, and the messages and conversations by which
    data that comes later may turn out to belong to it. A value that too many traces share is told
    among the ties as one that ties none.
    """

    flow_id: str
    spans: Sequence[Span]
    logs: Sequence[LogRecord] = ()
    decisions: Sequence[Decision] = ()
    ties: Sequence[str] = ()
    aliases: Sequence[str] = ()


def assign(
    spans: Iterable[Span],
    logs: Iterable[LogRecord],
    decisions: Iterable[Decision],
    settings: AssignSettings,
    overused: Iterable[str] = (),
) -> list[FlowRows]:
    """Put records together into flows, the same ones in whatever order they arrive.

    `overused` are aliases that, with records that are not here, too many traces share.
    """
    ordered = sorted(spans, key=lambda span: (span.start_ns, span.trace_id, span.span_id))
    units = units_of(ordered)
    closure = close(ordered, units, settings, overused)
    members: dict[Unit, list[Span]] = defaultdict(list)
    for span in ordered:
        members[closure.find(units[key_of(span)])].append(span)
    places = _Places(units, closure)
    logs_of: dict[Unit, list[LogRecord]] = defaultdict(list)
    for log in logs:
        home = places.of(log.trace_id, log.span_id, text(log.attributes, FLOW_ID))
        if home is not None:
            logs_of[home].append(log)
    decisions_of: dict[Unit, list[Decision]] = defaultdict(list)
    for decision in decisions:
        home = places.of(decision.trace_id, decision.span_id, decision.flow_id)
        if home is not None:
            decisions_of[home].append(decision)
    flows = [
        _rows(home, rows, logs_of[home], decisions_of[home], closure, settings)
        for home, rows in members.items()
    ]
    return sorted(flows, key=lambda flow: flow.flow_id)


class _Places:
    """Where a record that is not a span belongs."""

    def __init__(self, units: dict[SpanKey, Unit], closure: Closure) -> None:
        self._units = units
        self._closure = closure
        self._by_flow: dict[str, Unit] = {}
        self._by_trace: dict[str, Unit] = {}
        for unit in sorted(closure.parent):
            self._by_trace.setdefault(unit[0], unit)
            if unit[1]:
                self._by_flow.setdefault(unit[1], unit)

    def of(self, trace_id: str | None, span_id: str | None, flow_id: str | None) -> Unit | None:
        unit = None
        if trace_id is not None and span_id is not None:
            unit = self._units.get((trace_id, span_id))
        if unit is None and flow_id is not None:
            unit = self._by_flow.get(flow_id)
        if unit is None and trace_id is not None:
            unit = self._by_trace.get(trace_id)
        return None if unit is None else self._closure.find(unit)


def _rows(
    home: Unit,
    spans: list[Span],
    logs: list[LogRecord],
    decisions: list[Decision],
    closure: Closure,
    settings: AssignSettings,
) -> FlowRows:
    names = _names(home, spans, closure, settings)
    untied = (
        f"none by {name}: more than {settings.traces_per_value_max} traces share it"
        for name in sorted(closure.overused.intersection(names))
    )
    return FlowRows(
        flow_id=names[0],
        spans=spans,
        logs=sorted(logs, key=_log_order),
        decisions=sorted(decisions, key=lambda it: (it.time_ns, it.decision_id, it.seq or 0)),
        ties=[*(sorted(closure.reasons[home]) or ["trace id"]), *untied],
        aliases=sorted(set(names[1:]) - {names[0]}),
    )


def _log_order(log: LogRecord) -> tuple[int, int, str, str, str]:
    return (log.time_ns, log.observed_ns, log.service, log.span_id or "", repr(log.body))


def _names(home: Unit, spans: list[Span], closure: Closure, settings: AssignSettings) -> list[str]:
    """All ids the flow could be called by, its own one first (the rule of strength)."""
    names = sorted(closure.named[home])
    # The earliest run is the outermost one: a parent workflow starts before its children.
    runs = dict.fromkeys(f"wf:{run}" for span in spans if (run := workflow_of(span)))
    # A history that does not name its workflow stands back behind spans of the run that do.
    names += sorted(runs, key=lambda run: run.startswith("wf:unnamed:"))
    for key in settings.correlation_keys:
        values = {value for span in spans if (value := text(span.attributes, key))}
        names += sorted(correlation(key, value) for value in values)
    for key in settings.baggage_keys:
        values = {value for span in spans if (value := baggage_value(span, key))}
        names += sorted(correlation(key, value) for value in values)
    overused = [name for name in names if name in closure.overused]
    names = [name for name in names if name not in closure.overused]
    names += sorted({f"trace:{span.trace_id}" for span in spans})
    sent = {value for span in spans for value in (message_of(span), conversation_of(span)) if value}
    return [*names, *sorted(sent), *overused]
