"""What sets groups of flows apart, as a document and as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrospan.edge import Edge, put
from retrospan.listing import Column, Format, Listing, Row, show
from retrospan.text import visible
from retrospan.timespan import humane

if TYPE_CHECKING:
    from analyzer.contrast import Contrast, Difference, Groups, Term
    from retrospan.documents import Document

EXAMPLES_MAX = 3
TWINS_SHOWN = 2
DIGITS = 6
DURATION = "duration_ns"
ABOVE = "> "
CELLS = (
    "attribute", "value", "selected", "baseline", "share_selected", "share_baseline", "lift",
    "precision", "p_value", "q_value", "more", "given", "examples",
)  # fmt: skip


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


def print_contrast(edge: Edge, document: "Document", form: Format, as_json: bool) -> None:
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
