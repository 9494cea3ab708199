"""The options every list takes, turned into what the store and the rows are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from retrospan.edge import Edge
from retrospan.timespan import parse_moment
from store import read
from store.conclusions import FlowOutcome
from store.errors import UsageError
from store.lease import Session
from store.model import JsonValue

Row = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """As typed. A `where` key that is a field of the rows selects rows, another one selects flows
    by the attributes of their spans."""

    since: str | None = None
    until: str | None = None
    service: str | None = None
    outcome: str | None = None
    where: Sequence[str] = ()
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """`flows` selects in the store, `row_where` among the rows; `narrow` says if flows matter."""

    flows: read.FlowSelection
    row_where: Sequence[tuple[str, str]]
    limit: int

    @property
    def rows_read(self) -> int | None:
        """How many rows are enough where the store gives them in the order of the list.

        One more than is shown: it tells that there are more.
        """
        return None if self.row_where else self.limit + 1

    @property
    def narrow(self) -> bool:
        return self.flows != read.FlowSelection()

    def flow_ids(self, session: Session) -> list[str] | None:
        """Ids of the selected flows; None for all."""
        if not self.narrow:
            return None
        return [flow.flow_id for flow in read.read_flows(session, self.flows)]

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        """Those rows whose fields have the values asked for, up to the limit."""
        return self.matching(rows)[: self.limit]

    def matching(self, rows: Sequence[Row]) -> list[Row]:
        """All of those."""
        return [
            row for row in rows if all(_equals(row[key], value) for key, value in self.row_where)
        ]

    def has_violation(self, matching: Sequence[Row], stored: int) -> bool:
        """Whether one that matches is a violation, shown or not; `stored` is how many there are."""
        if not self.row_where:
            return stored > 0
        return any(row["verdict"] == "violation" for row in matching)

    def say_more(self, edge: Edge, matching: Sequence[Row]) -> None:
        """Tell when not all of these rows are shown."""
        if len(matching) > self.limit:
            edge.say(f"the first {self.limit}; --limit shows more")


def choose(session: Session, options: Options, fields: Sequence[str]) -> Chosen:
    """Check the options; times relative to the end of the data need the store."""
    if options.outcome is not None and options.outcome not in list(FlowOutcome):
        known = ", ".join(outcome.value for outcome in FlowOutcome)
        raise UsageError(f"--outcome {options.outcome!r}: there are {known}")
    pairs = [_pair(text) for text in options.where]
    end_ns = read.counts(session).data_end_ns
    selection = read.FlowSelection(
        since_ns=_moment(options.since, end_ns, "--since"),
        until_ns=_moment(options.until, end_ns, "--until"),
        service=options.service,
        outcome=options.outcome,
        where=tuple(pair for pair in pairs if pair[0] not in fields),
    )
    return Chosen(
        flows=selection,
        row_where=[pair for pair in pairs if pair[0] in fields],
        limit=options.limit,
    )


def limited(chosen: Chosen) -> read.FlowSelection:
    """The selection with the limit, where nothing else will drop rows later."""
    return replace(chosen.flows, limit=chosen.rows_read)


def _moment(text: str | None, end_ns: int | None, option: str) -> int | None:
    return None if text is None else parse_moment(text, end_ns, option)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--where {text!r}: write KEY=VALUE")
    return key, value


def _equals(field_value: JsonValue, wanted: str) -> bool:
    if field_value is None:
        return wanted == ""
    if isinstance(field_value, bool):
        return wanted.lower() == str(field_value).lower()
    if isinstance(field_value, list):
        return wanted in [str(entry) for entry in field_value]
    return str(field_value) == wanted
