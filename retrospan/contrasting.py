"""`retrospan flows contrast`: what sets one group of flows apart from another."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import Edge, edge_of, put
from retrospan.listing import (
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
from retrospan.text import visible
from retrospan.timespan import humane

if TYPE_CHECKING:
    from analyzer.contrast import Contrast, Difference, FlowHead, Groups
    from analyzer.contrast.compare import Term
    from retrospan.documents import Document
    from store.session import Session

ROWS_DEFAULT = 30
EXAMPLES_MAX = 3
TWINS_SHOWN = 2
DIGITS = 6
DURATION = "duration_ns"
ABOVE = "> "
CELLS = (
    "attribute", "value", "selected", "baseline", "share_selected", "share_baseline", "lift",
    "precision", "p_value", "q_value", "more", "given", "examples",
)  # fmt: skip
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
    from retrospan.selection import Options, choose
    from store import read

    edge = edge_of(context)
    _check(by, incident, after, selected, baseline)
    scope = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.lease("contrasting flows") as session:
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
        groups = thinned(groups)
        facts = read_facts(
            session, groups.flow_ids, _made_by([*(selected or ()), *(baseline or ())])
        )
    found = contrast(facts, len(groups.selected))
    document = contrast_document(groups, found, len(heads) - whole, limit)
    _print(edge, document, form, as_json)


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


def contrast_document(groups: "Groups", found: "Contrast", neither: int, limit: int) -> "Document":
    """`retrospan.contrast/1`; shares are 0 to 1 with six digits. `neither` flows are in no group;
    of very large groups a part is compared."""
    flow_ids = groups.flow_ids
    compared = (*groups.selected, *groups.baseline)
    return {
        "schema": "retrospan.contrast/1",
        "question": groups.question,
        "n_selected": found.n_selected,
        "n_baseline": found.n_baseline,
        "n_neither": neither,
        "n_sampling_unknown": sum(head.sampling == "unknown" for head in compared),
        "tested": found.tested,
        "too_rare": found.too_rare,
        "found": len(found.differences) + found.not_told,
        "values": [_value_row(one, flow_ids) for one in found.differences[:limit]],
        "dropped_ids": [
            " ".join(filter(None, (it.source, it.service, it.name))) for it in found.ids
        ],
    }


def _value_row(one: "Difference", flow_ids: Sequence[str]) -> "Document":
    interval = one.difference
    return {
        "attribute": " & ".join(_named(term) for term in one.terms),
        "value": " & ".join(term.value for term in one.terms),
        "parts": [_term_row(term) for term in one.terms],
        "selected": one.selected,
        "baseline": one.baseline,
        "share_selected": round(one.share_selected, DIGITS),
        "share_baseline": round(one.share_baseline, DIGITS),
        "unknown_selected": round(1 - one.known_selected / one.n_selected, DIGITS),
        "unknown_baseline": round(1 - one.known_baseline / one.n_baseline, DIGITS),
        "difference_low": None if interval is None else round(interval.low, DIGITS),
        "difference_high": None if interval is None else round(interval.high, DIGITS),
        "lift": None if one.lift is None else round(one.lift, DIGITS),
        "coverage": round(one.share_selected, DIGITS),
        "precision": round(one.precision, DIGITS),
        "p_value": float(f"{one.p_value:.6g}"),
        "q_value": float(f"{one.q_value:.6g}"),
        "more": one.more,
        "given": one.given,
        "twins": [{"same": same, **_term_row(term)} for same, term in one.twins],
        "examples": [
            flow_ids[place] for place in _places(one.mask if one.more else ~one.mask, len(flow_ids))
        ],
    }


def _named(term: "Term") -> str:
    """The attribute with whose it is, as a person would say it."""
    whose = f"{term.attribute.service} " if term.attribute.service else ""
    return f"{whose}{term.attribute.name}"


def _term_row(term: "Term") -> "Document":
    return {
        "source": term.attribute.source,
        "service": term.attribute.service,
        "attribute": term.attribute.name,
        "value": term.value,
    }


def _places(mask: int, count: int) -> list[int]:
    """The first bits of a mask: selected flows come first, so these are the ones to look at."""
    found = []
    for place in range(count):
        if mask >> place & 1:
            found.append(place)
            if len(found) == EXAMPLES_MAX:
                break
    return found


def _what(row: Row) -> str:
    parts = row["parts"]
    assert isinstance(parts, list)
    said = []
    for part in parts:
        assert isinstance(part, dict)
        whose = f"{part['service']} " if part["service"] else ""
        name, value = str(part["attribute"]), str(part["value"])
        if name.endswith(DURATION) and value.startswith(ABOVE):
            length = humane(int(float(value.removeprefix(ABOVE))))
            said.append(f"{whose}{name.removesuffix(DURATION)}duration > {length}")
        else:
            said.append(f"{whose}{name} {value if value.startswith(ABOVE) else '= ' + value}")
    return " and ".join(said)


def _share(which: str) -> Column:
    def cell(row: Row) -> str:
        share = row[f"share_{which}"]
        assert isinstance(share, float)
        return f"{row[which]} ({100 * share:.1f} %)"

    return Column(header=which, show=cell, right=True)


def _lift(row: Row) -> str:
    lift = row["lift"]
    return f"{lift:.1f}x" if isinstance(lift, int | float) else "only there"


def _precise(row: Row) -> str:
    precision = row["precision"]
    return f"{100 * precision:.1f} %" if isinstance(precision, float) else ""


def _q(row: Row) -> str:
    q_value = row["q_value"]
    return f"{q_value:.1g}" if isinstance(q_value, float) else ""


def _same(row: Row) -> str:
    twins = row["twins"]
    assert isinstance(twins, list)
    shown = [
        ("" if twin["same"] else "not ") + f"{twin['service']} {twin['attribute']} {twin['value']}"
        for twin in twins[:TWINS_SHOWN]
        if isinstance(twin, dict)
    ]
    rest = len(twins) - len(shown)
    return "; ".join(shown) + (f"; {rest} more" if rest else "")


def _example(row: Row) -> str:
    examples = row["examples"]
    return str(examples[0]) if isinstance(examples, list) and examples else ""


COLUMNS = (
    Column(header="what the selected have", show=_what),
    _share("selected"),
    _share("baseline"),
    Column(header="lift", show=_lift, right=True),
    Column(header="precision", show=_precise, right=True),
    Column(header="q", show=_q, right=True),
    Column(header="given before", show=lambda row: "yes" if row["given"] else ""),
    Column(header="for example", show=_example),
    Column(header="says the same", show=_same),
)


def _print(edge: Edge, document: "Document", form: Format, as_json: bool) -> None:
    values = document["values"]
    assert isinstance(values, list)
    rows = [row for row in values if isinstance(row, dict)]
    table = form is Format.TABLE and not as_json
    more = [row for row in rows if row["more"]]
    if table:
        put([visible(_head(document))])
    if not document["n_selected"] or not document["n_baseline"]:
        edge.say("one of the groups is empty, so nothing can be compared")
    listing = Listing(
        document=document,
        rows=more if table else rows,
        columns=COLUMNS,
        cells=CELLS,
        empty="nothing sets the selected flows apart that could not be chance",
    )
    show(listing, form, as_json)
    if table and len(more) < len(rows):
        put([f"{len(rows) - len(more)} more values are rarer among the selected: --json has them."])


def _head(document: "Document") -> str:
    """Who is compared, and how sure the answer is."""
    said = (
        f"Compared {document['question']}: {document['n_selected']} against "
        f"{document['n_baseline']} flows ({document['n_neither']} in neither). "
        f"{document['tested']} facts tested, false discovery rate 5 %; {document['found']} differ."
    )
    if document["n_sampling_unknown"]:
        said += f" Sampling is unknown for {document['n_sampling_unknown']} flows."
    return said + (
        " An association, not yet a cause: what was given before the flow began can be one, what "
        "happened on the way may be a consequence."
    )
