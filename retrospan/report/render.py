"""A document written as Markdown or as HTML, the same bytes for the same document.

The templates hold our words and layout; every value from data passes through code spans
(Markdown) or autoescaping (HTML), so nothing recorded can act as markup.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from retrospan.canonical import canonical
from retrospan.report.model import (
    Blank,
    Block,
    Chart,
    Document,
    Evidence,
    Statement,
    Table,
    Value,
)
from retrospan.text import Words, markdown_cell, markdown_code, visible
from retrospan.timespan import utc

if TYPE_CHECKING:
    from jinja2 import Environment


def to_markdown(document: Document) -> str:
    """GitHub-flavoured Markdown; charts become their tables."""
    return _environment().get_template("post-mortem.md.j2").render(document=document)


def to_html(document: Document) -> str:
    """One file with its styles and drawings inside; it asks nothing of any network."""
    return _environment().get_template("post-mortem.html.j2").render(document=document)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("retrospan.report", "templates"),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        utc=lambda moment: utc(moment, 0),
        visible=visible,
        md=markdown_code,
        md_statement=_markdown_statement,
        md_row=_markdown_row,
        kind=_kind,
        parameters=lambda evidence: canonical(evidence.parameters),
        plain=lambda value: isinstance(value, int | Words),
        groups=_groups,
        words=Words,
        pointers=_pointers,
    )
    return environment


def _kind(block: Block) -> str:
    """The word a template branches on."""
    for word, record in (("statement", Statement), ("table", Table), ("chart", Chart)):
        if isinstance(block, record):
            return word
    assert isinstance(block, Blank)
    return "blank"


def _markdown_statement(statement: Statement) -> str:
    return "".join(
        _markdown_value(content, markdown_code) if is_data else str(content)
        for is_data, content in statement.parts
    )


def _markdown_row(row: Sequence[Value]) -> str:
    return "| " + " | ".join(_markdown_value(cell, markdown_cell) for cell in row) + " |"


def _markdown_value(value: Value, coded: Callable[[object], str]) -> str:
    """Numbers and our own words stay plain; text from data becomes code."""
    return str(value) if isinstance(value, int | Words) or value == "–" else coded(value)


def _groups(entries: Sequence[Evidence]) -> list[tuple[Evidence, list[str]]]:
    """Evidence with the same question and data as one row, and the ids that rest on it."""
    groups: dict[str, tuple[Evidence, list[str]]] = {}
    for entry in entries:
        key = canonical([entry.question, entry.parameters, entry.data_sha256, _pointers(entry)])
        groups.setdefault(key, (entry, []))[1].append(entry.evidence_id)
    return list(groups.values())


def _pointers(evidence: Evidence) -> str:
    """Examples, as the ids a reader can look up."""
    return " ".join(
        ":".join(
            part
            for part in (entry.kind, entry.trace_id, entry.span_id, entry.decision_id, entry.sha256)
            if part
        )
        for entry in evidence.examples
    )
