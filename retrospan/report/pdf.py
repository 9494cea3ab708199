"""A document as PDF, laid out from its HTML by WeasyPrint (the extra `pdf`)."""

import re

from retrospan.report.model import Document
from retrospan.report.render import to_html
from store.errors import DataError, UsageError

MISSING = (
    "PDF needs WeasyPrint and the system library Pango: install retrospan[pdf] "
    "(see doc.courtbouillon.org/weasyprint for Pango), or write .html"
)
DETAILS = re.compile(r"<details>")


def to_pdf(document: Document) -> bytes:
    """The same bytes for the same document, one version of WeasyPrint and the same fonts.

    Everything that is folded on the screen is open on paper. Raises UsageError where WeasyPrint is
    not installed.
    """
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:  # OSError: its system libraries are not there
        raise UsageError(MISSING) from error
    page = DETAILS.sub("<details open>", to_html(document))
    made = HTML(string=page, url_fetcher=_refuse).write_pdf(
        pdf_identifier=document.incident_id.encode("utf-8", "backslashreplace")
    )
    if not isinstance(made, bytes):
        raise DataError("WeasyPrint made no PDF")
    return made


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    """A report asks nothing of any network or file."""
    raise ValueError(f"{url} is not fetched")
