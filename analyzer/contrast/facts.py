"""What is known of each flow: which attribute values it bears, which numbers.

Flows are places in a list; who bears a value is a bit mask over the places, so that comparing is
counting bits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt
from pathlib import Path
from typing import Final

from store.query import ask, load
from store.session import Session

HERE: Final = Path(__file__).parent
QUESTIONS: Final = ("attributes.sql", "decisions.sql", "inputs.sql", "steps.sql")
SOURCES: Final = ("flow", "resource", "decision", "step", "span")
"""Of facts that say the same, the one from the first of these is told."""
VALUE_CHARACTERS_MAX: Final = 200
LEFT_OUT: Final = (
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "http.request.body",
    "http.request.body.content",
    "http.response.body",
    "http.response.body.content",
    "retrospan.flow.id",
    "retrospan.flow.input",
    "retrospan.flow.outcome",
    "retrospan.flow.output",
    "retrospan.step.request",
    "retrospan.step.response",
    "rpc.request.body",
    "rpc.response.body",
    "service.name",
)
"""Bodies are no attributes, and how a flow ended is what is to be explained."""
_NUMBERED: Final = ("id", "pid", "port", "index", "ordinal", "seq", "lineno", "line")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Attribute:
    """`source` is span, resource, step, decision or flow; `service` whose it is."""

    source: str
    service: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`values`: who bears which value; `numbers`: the number of each flow that has one; `known`:
    in how many flows the attribute was recorded; `ids`: attributes dropped as ids, by name."""

    flows: int
    values: Mapping[tuple[Attribute, str], int] = field(default_factory=dict)
    numbers: Mapping[Attribute, Mapping[int, float]] = field(default_factory=dict)
    known: Mapping[Attribute, int] = field(default_factory=dict)
    ids: Sequence[Attribute] = ()


def read_facts(session: Session, flow_ids: Sequence[str], left_out: Collection[str] = ()) -> Facts:
    """The facts of some flows, whose order gives the places; `left_out` names attributes.

    An attribute with more values than the square root of the number of flows is a number where all
    its values are numbers, else an id, which could set apart no group.
    """
    values: dict[tuple[Attribute, str], int] = {}
    numbers: dict[Attribute, Mapping[int, float]] = {}
    bearers: dict[Attribute, int] = {}
    ids: set[Attribute] = set()
    for question, params in _questions(session, flow_ids).items():
        for row in ask(session, question, params).iter_rows(named=True):
            attribute = Attribute(
                source=row["source"], service=row["service"], name=row["attribute"]
            )
            if attribute.name in left_out:
                continue
            if row["value"] is not None:
                if len(row["value"]) <= VALUE_CHARACTERS_MAX:
                    mask = _mask(row["places"])
                    values[attribute, row["value"]] = mask
                    bearers[attribute] = bearers.get(attribute, 0) | mask
            elif row["numbers"] is not None and not _counts_something(attribute.name):
                placed = zip(row["places"], row["numbers"], strict=True)
                numbers[attribute] = {
                    place - 1: number for place, number in placed if number is not None
                }
                bearers[attribute] = _mask(row["places"])
            else:
                ids.add(attribute)
    return Facts(
        flows=len(flow_ids), values=values, numbers=numbers, known=bearers, ids=sorted(ids)
    )


def _questions(session: Session, flow_ids: Sequence[str]) -> dict[Path, dict[str, object]]:
    """What is asked, and with which parameters."""
    whose: dict[str, object] = {"flow_ids": list(flow_ids)}
    (reach,) = ask(session, HERE / "reach.sql", whose).iter_rows(named=True)
    known = {
        **whose,
        **reach,
        "distinct_max": max(2, isqrt(len(flow_ids))),
        "left_out": list(LEFT_OUT),
    }
    return {
        path: {name: known[name] for name in load(path).params}
        for path in map(HERE.joinpath, QUESTIONS)
    }


def _counts_something(name: str) -> bool:
    """Whether a number is a name in disguise: its size means nothing."""
    return name.replace("_", ".").rpartition(".")[2] in _NUMBERED


def _mask(places: Sequence[int]) -> int:
    """Bits of places counted from 1."""
    bits = bytearray(max(places, default=0) // 8 + 1)
    for place in places:
        bits[(place - 1) >> 3] |= 1 << ((place - 1) & 7)
    return int.from_bytes(bits, "little")
