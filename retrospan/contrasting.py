"""`retrospan flows contrast`: what sets one group of flows apart from another."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.contrast_documents import contrast_document, print_contrast
from retrospan.edge import edge_of
from retrospan.listing import (
    AsJson,
    Format,
    FormatOption,
    Limit,
    Outcome,
    Service,
    Since,
    Until,
    Where,
)

if TYPE_CHECKING:
    from analyzer.contrast import FlowHead, Groups
    from store.session import Session

ROWS_DEFAULT = 30
FIELDS = (
    "flow_id", "name", "version", "outcome", "architecture", "complete", "sampling", "verdict",
    "findings",
)  # fmt: skip
SAYS_THE_SAME = {
    "version": ("flow version", "retrospan.flow.version"),
    "name": ("flow name", "retrospan.flow.name"),
}
"""Attributes that repeat what a group was made by."""


class By(StrEnum):
    """Ready-made pairs of groups."""

    FAILED = "failed"
    VIOLATED = "violated"
    SLOW = "slow"


def contrast_flows(
    context: typer.Context,
    by: Annotated[
        By,
        typer.Option(
            help="failed or undone against succeeded; violated against clean; slowest tenth "
            "against faster half."
        ),
    ] = By.FAILED,
    incident: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Flows that began in this incident against earlier ones."),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Flows that began from then on against earlier ones."),
    ] = None,
    selected: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="The group to explain; repeatable."),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="What it is compared with (default: all others); repeatable."
        ),
    ] = None,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    limit: Limit = ROWS_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """What sets one group of flows apart: attribute values, numbers, pairs of values, strongest
    first. An association, not yet a cause."""
    from analyzer.contrast import contrast, read_facts, read_heads
    from analyzer.contrast.groups import thinned
    from retrospan.sampling_note import tell_sampling
    from retrospan.selection import Options, choose
    from store import read

    edge = edge_of(context)
    _check(by, incident, after, selected, baseline)
    scope = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.reading("contrasting flows") as session:
        chosen = choose(session, scope, FIELDS)
        heads = _kept(read_heads(session), chosen.flow_ids(session), chosen.row_where)
        if incident is not None:
            groups = _during(heads, read.read_incident(session, incident))
        elif after is not None:
            groups = _after(session, heads, after)
        elif selected is not None:
            groups = _of_two(session, heads, selected, baseline)
        else:
            groups = _ready_made(heads, by)
        whole = len(groups.flow_ids)
        tell_sampling(session, groups.flow_ids)
        groups = thinned(groups)
        facts = read_facts(
            session, groups.flow_ids, _made_by([*(selected or ()), *(baseline or ())])
        )
    found = contrast(facts, len(groups.selected))
    document = contrast_document(groups, found, len(heads) - whole, limit)
    print_contrast(edge, document, form, as_json)


def _check(
    by: By,
    incident: str | None,
    after: str | None,
    selected: Sequence[str] | None,
    baseline: Sequence[str] | None,
) -> None:
    from store.errors import UsageError

    given = [
        name
        for name, value in (("--incident", incident), ("--after", after), ("--selected", selected))
        if value is not None
    ]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} each make the groups: give one of them")
    if given and by is not By.FAILED:
        raise UsageError(f"--by and {given[0]} both make the groups: give one of them")
    if baseline is not None and selected is None:
        raise UsageError("--baseline needs --selected")


def _kept(
    heads: "Sequence[FlowHead]",
    flow_ids: Sequence[str] | None,
    row_where: Sequence[tuple[str, str]],
) -> "list[FlowHead]":
    """The heads with these ids whose fields have the values asked for."""
    wanted = None if flow_ids is None else set(flow_ids)
    return [
        head
        for head in heads
        if (wanted is None or head.flow_id in wanted)
        and all(_has(head, field, value) for field, value in row_where)
    ]


def _has(head: "FlowHead", field: str, value: str) -> bool:
    found = getattr(head, field)
    if isinstance(found, bool):
        return value.lower() == str(found).lower()
    return value == found if isinstance(found, str) else value in found


def _during(heads: "Sequence[FlowHead]", incident: object) -> "Groups":
    from analyzer.contrast.groups import during_and_before
    from store.conclusions import Incident

    assert isinstance(incident, Incident)
    end_ns = incident.end_ns
    return during_and_before(heads, incident.start_ns, end_ns, f"incident {incident.incident_id}")


def _after(session: "Session", heads: "Sequence[FlowHead]", after: str) -> "Groups":
    from analyzer.contrast.groups import during_and_before
    from retrospan.timespan import parse_moment, utc
    from store import read

    start_ns = parse_moment(after, read.counts(session).data_end_ns, "--after")
    end_ns = max((head.start_ns for head in heads), default=start_ns) + 1
    return during_and_before(heads, start_ns, end_ns, f"the time from {utc(start_ns)} UTC on")


def _of_two(
    session: "Session",
    heads: "Sequence[FlowHead]",
    selected: Sequence[str],
    baseline: Sequence[str] | None,
) -> "Groups":
    from analyzer.contrast.groups import split
    from retrospan.selection import Options, choose

    def ids(wanted: Sequence[str]) -> set[str]:
        chosen = choose(session, Options(where=wanted, limit=len(heads) + 1), FIELDS)
        return {head.flow_id for head in _kept(heads, chosen.flow_ids(session), chosen.row_where)}

    first = ids(selected)
    second = None if baseline is None else ids(baseline)
    others = "all other flows" if baseline is None else f"flows with {' and '.join(baseline)}"
    return split(
        heads,
        f"flows with {' and '.join(selected)}, against {others}",
        lambda head: head.flow_id in first,
        lambda head: second is None or head.flow_id in second,
    )


def _ready_made(heads: "Sequence[FlowHead]", by: By) -> "Groups":
    from analyzer.contrast.groups import failed_and_fine, slow_and_fast, violated_and_clean

    make = {By.FAILED: failed_and_fine, By.VIOLATED: violated_and_clean, By.SLOW: slow_and_fast}
    return make[by](heads)


def _made_by(pairs: Sequence[str]) -> set[str]:
    """Names of attributes that the groups were made by: they differ by construction."""
    keys = [pair.partition("=")[0] for pair in pairs]
    return {name for key in keys for name in (key, *SAYS_THE_SAME.get(key, ()))}
