"""A written report held against the data again, and its blanks counted."""

import re
from dataclasses import dataclass
from pathlib import Path

from retrospan.report.model import Document
from retrospan.report.render import to_html, to_markdown
from store.errors import DataError

REPORT_BYTES_MAX = 64_000_000
INCIDENT = re.compile(r"^- Incident: `+ ?([^`]+?) ?`+$|Incident <code>([^<]+)</code>", re.MULTILINE)
EVIDENCE = re.compile(r"\[(E-[0-9a-f]{12})\]$|<(?:p|table) id=\"(E-[0-9a-f]{12})\"")
BLANK = re.compile(r"TODO\(human\): [^<\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`statements` machine-written lines were found, `recomputed` of them say the same again."""

    statements: int
    recomputed: int
    drifted: list[str]


def read_report(path: Path) -> str:
    """The text of a report file."""
    try:
        if path.stat().st_size > REPORT_BYTES_MAX:
            raise DataError(f"{path} is too large for a report ({REPORT_BYTES_MAX} bytes at most)")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a report: {error}") from error


def incident_id_of(text: str, path: Path) -> str:
    """The incident a report is about."""
    match = INCIDENT.search(text)
    if match is None:
        raise DataError(f"{path} names no incident; is it a report written by retrospan?")
    return str(match.group(1) or match.group(2))


def verify(text: str, document: Document, *, html: bool) -> Verified:
    """Compare what stands in the report with what the data gives now, line by line.

    What people wrote has no evidence id and is left alone. A line that is gone has drifted, and so
    has one whose words, numbers or data changed.
    """
    written = _lines(text)
    expected = _lines(to_html(document) if html else to_markdown(document))
    drifted = sorted(
        evidence_id
        for evidence_id in written.keys() | expected.keys()
        if written.get(evidence_id) != expected.get(evidence_id)
    )
    same = sum(expected.get(evidence_id) == lines for evidence_id, lines in written.items())
    return Verified(statements=len(written), recomputed=same, drifted=drifted)


def _lines(text: str) -> dict[str, list[str]]:
    """Machine-written blocks by evidence id: a sentence, or a table with all its rows."""
    blocks: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        match = EVIDENCE.search(line)
        if match:
            current = [line]
            blocks[match.group(1) or match.group(2)] = current
        elif current is not None and line.startswith(("|", "<tr>", "<thead>", "<caption>")):
            current.append(line)
        elif line.startswith(("#", "<section", "**", "<h2>", '<p class="todo"')):
            current = None
    return blocks


def blanks(text: str) -> list[tuple[int, str]]:
    """Line numbers and words of the blanks nobody filled in."""
    return [
        (number, match.group())
        for number, line in enumerate(text.splitlines(), 1)
        for match in BLANK.finditer(line)
    ]
