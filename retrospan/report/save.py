"""A document into files, in the form that a name asks for."""

from collections.abc import Sequence
from pathlib import Path

from retrospan.report.model import Document
from retrospan.report.pdf import to_pdf
from retrospan.report.render import to_html, to_markdown
from store.errors import DataError

SUFFIXES = (".md", ".html", ".pdf")


def content(document: Document, suffix: str) -> bytes:
    """The bytes of the document in one form."""
    if suffix == ".pdf":
        return to_pdf(document)
    return (to_markdown(document) if suffix == ".md" else to_html(document)).encode("utf-8")


def save(document: Document, output: Path, suffixes: Sequence[str]) -> list[Path]:
    """Write the document beside `output` with each suffix; the files that were written."""
    written = []
    for suffix in suffixes:
        path = output.with_suffix(suffix)
        made = content(document, suffix)
        try:
            path.write_bytes(made)
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror or error}") from error
        written.append(path)
    return written
