"""What a report is made of: sections of statements, tables, charts, blanks for people.

A template is our own words with `{names}` for values. Values come from data and are shown as code,
so they can never act as markup; only numbers and `text.Words` are shown plain. A statement's
evidence id covers its words, its values and the data behind it: change any of them and the id no
longer fits.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from retrospan.canonical import canonical, digest
from store.conclusions import Evidence as Pointer
from store.model import JsonValue

Value: TypeAlias = str | int

PLACEHOLDER = re.compile(r"\{(\w+)\}", re.ASCII)
EVIDENCE_ID_CHARS = 12
EXAMPLES_MAX = 3
TABLE_ROWS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a statement was computed from.

    `question` names the computation, `parameters` its arguments; `data_sha256` is the digest of
    the canonical data that went in; `rows` says how many records that were; `examples` are a few
    of them.
    """

    evidence_id: str
    question: str
    parameters: Mapping[str, JsonValue]
    data_sha256: str
    rows: int
    examples: Sequence[Pointer] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One machine-written sentence."""

    template: str
    values: Mapping[str, Value]
    evidence_id: str

    @property
    def parts(self) -> Iterator[tuple[bool, Value]]:
        """Pairs of (is data, content), in reading order."""
        return parts_of(self.template, self.values)

    @property
    def text(self) -> str:
        """The sentence without markup."""
        return "".join(str(content) for _, content in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows that are too many for sentences; `left_out` rows did not fit, `more` says where."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    evidence_id: str
    left_out: int = 0
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing we wrote ourselves, and the same numbers as a table for those who cannot see it.

    `folded` says that the drawing is enough for those who can.
    """

    svg: str
    table: Table
    folded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """A place that only people can fill."""

    label: str
    prompt: str

    @property
    def text(self) -> str:
        return f"TODO(human): {self.prompt}"


Block: TypeAlias = Statement | Table | Chart | Blank


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading and what stands under it."""

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A post-mortem. `data_end_ns` stands for "generated at": the report has no clock.

    `audience` says for whom; `objectives` are names of the files of service level objectives,
    `left_out` those of what-ifs that were run and are not told.
    """

    title: str
    incident_id: str
    audience: str
    objectives: Sequence[str]
    left_out: Sequence[str]
    data_end_ns: int | None
    sections: Sequence[Section]
    evidence: Sequence[Evidence]

    @property
    def statements(self) -> list[Statement]:
        """Every machine-written sentence, in reading order."""
        return [
            block
            for section in self.sections
            for block in section.blocks
            if isinstance(block, Statement)
        ]


def parts_of(template: str, values: Mapping[str, Value]) -> Iterator[tuple[bool, Value]]:
    """The template cut into our words (False) and values (True)."""
    for position, piece in enumerate(PLACEHOLDER.split(template)):
        if position % 2:
            yield True, values[piece]
        elif piece:
            yield False, piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an answer rests on, before a sentence is made of it."""

    question: str
    data: Sequence[JsonValue]
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    examples: Sequence[Pointer] = ()


class EvidenceLog:
    """Collects the evidence while a document is built."""

    def __init__(self) -> None:
        self._entries: dict[str, Evidence] = {}

    def say(self, basis: Basis, template: str, **values: Value) -> Statement:
        """A sentence, its evidence noted."""
        evidence_id = self.note(basis, [template, dict(values)])
        return Statement(template=template, values=values, evidence_id=evidence_id)

    def table(
        self,
        basis: Basis,
        caption: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        rows_max: int = TABLE_ROWS_MAX,
        more: str = "",
    ) -> Table:
        """A table of at most `rows_max` rows; its evidence covers those left out too."""
        return Table(
            caption=caption,
            columns=columns,
            rows=[
                [cell if isinstance(cell, int | str) else str(cell) for cell in row]
                for row in rows[:rows_max]
            ],
            evidence_id=self.note(basis, [caption, list(columns), rows]),
            left_out=max(0, len(rows) - rows_max),
            more=more,
        )

    def note(self, basis: Basis, content: object) -> str:
        """The evidence id of content that rests on the basis."""
        data_sha256 = digest(basis.data)
        parameters = dict(basis.parameters)
        evidence_id = (
            "E-" + digest([basis.question, parameters, data_sha256, content])[:EVIDENCE_ID_CHARS]
        )
        self._entries[evidence_id] = Evidence(
            evidence_id=evidence_id,
            question=basis.question,
            parameters=parameters,
            data_sha256=data_sha256,
            rows=len(basis.data),
            examples=tuple(sorted(set(basis.examples), key=pointer_order)[:EXAMPLES_MAX]),
        )
        return evidence_id

    @property
    def entries(self) -> list[Evidence]:
        """In the order of first use."""
        return list(self._entries.values())


def pointer_order(pointer: Pointer) -> str:
    """A total order of pointers, so that examples do not depend on the order of arrival."""
    return canonical(
        [pointer.kind, pointer.trace_id, pointer.span_id, pointer.decision_id, pointer.sha256]
    )
