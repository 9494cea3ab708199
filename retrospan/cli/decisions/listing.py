"""`retrospan decisions list`: decisions by time, of the log, of spans, of feature flags."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from retrospan.documents import DECISION_FIELDS
from retrospan.edge import edge_of
from retrospan.listing import (
    LIMIT_DEFAULT,
    AsJson,
    Column,
    Format,
    FormatOption,
    Limit,
    Listing,
    Outcome,
    Row,
    Service,
    Since,
    Until,
    Where,
    show,
)

CELLS = (
    "decision_id", "time", "chosen", "confidence", "threshold", "flow_id", "trace_id", "span_id",
)  # fmt: skip


def _part(row: Row, name: str, *keys: str) -> str | None:
    """The parts of one nested field, as `fraud 3`."""
    value = row.get(name)
    if not isinstance(value, Mapping):
        return None
    return " ".join(str(value[key]) for key in keys if value.get(key) is not None) or None


def _given(header: str, name: str, *, right: bool = False) -> Column:
    return Column(header=header, show=lambda row: row.get(name), right=right)


def _flags(row: Row) -> str | None:
    """Feature flags with their variants, as `dark=on`."""
    told = row.get("feature_flags")
    if not isinstance(told, Mapping):
        return None
    return ", ".join(f"{flag}={variant}" for flag, variant in sorted(told.items())) or None


COLUMNS = (
    _given("decision", "decision_id"),
    _given("time (UTC)", "time"),
    _given("chosen", "chosen"),
    _given("confidence", "confidence", right=True),
    _given("threshold", "threshold", right=True),
    Column(header="model", show=lambda row: _part(row, "model", "name", "version")),
    Column(header="policy", show=lambda row: _part(row, "policy", "id", "version")),
    Column(header="gate", show=lambda row: _part(row, "policy", "outcome")),
    Column(header="flags", show=lambda row: _flags(row)),
    _given("flow", "flow_id"),
)


class Kind(StrEnum):
    """Which decisions are listed."""

    RECORDED = "recorded"
    FLAG = "flag"
    ALL = "all"


def list_decisions(
    context: typer.Context,
    kind: Annotated[
        Kind,
        typer.Option(help="Recorded ones, evaluations of feature flags, or all of them."),
    ] = Kind.RECORDED,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """List decisions by time; --service and --outcome select by the flow they belong to."""
    from analyzer.oversight.flags import read_flags
    from analyzer.oversight.read import owners
    from retrospan.decision_documents import listed
    from retrospan.selection import Options, choose
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.reading("listing decisions") as session:
        chosen = choose(session, options, DECISION_FIELDS)
        flags, owned = read_flags(session), owners(session)
        flows = read.read_flows(session, chosen.flows) if chosen.narrow else None
        ids = {one for flow in flows or () for one in flow.decision_ids}
        flow_ids = {flow.flow_id for flow in flows or ()}
        decisions = (
            []
            if kind is Kind.FLAG
            else read.read_decisions(
                session,
                decision_ids=None if flows is None else sorted(ids),
                flow_ids=None if flows is None else sorted(flow_ids),
                limit=chosen.rows_read,
            )
        )
    if kind is not Kind.RECORDED:
        evaluated = [
            it for it in flags if flows is None or it.decision_id in ids or it.flow_id in flow_ids
        ]
        decisions = sorted([*decisions, *evaluated], key=lambda it: (it.time_ns, it.decision_id))
    matching = chosen.matching([listed(it, owned.get(it.decision_id)) for it in decisions])
    rows = matching[:limit]
    show(
        Listing(
            document={"schema": "retrospan.decisions/1", "decisions": list(map(dict, rows))},
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="no decision matches",
        ),
        form,
        as_json,
    )
    chosen.say_more(edge, matching)
    if kind is Kind.RECORDED and flags:
        edge.say(f"{len(flags)} evaluations of feature flags are not among them: --kind flag")
