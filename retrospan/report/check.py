"""A written report held against the data again, and its blanks counted."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from retrospan.audience import Audience
from retrospan.canonical import digest
from retrospan.report.model import Document
from retrospan.report.render import to_html, to_markdown
from retrospan.text import markdown_code, visible
from store.errors import DataError, UsageError

REPORT_BYTES_MAX = 64_000_000
INCIDENT = re.compile(r"^- Incident: `+ ?([^`]+?) ?`+$|Incident <code>([^<]+)</code>", re.MULTILINE)
EVIDENCE = re.compile(r"\[(E-[0-9a-f]{12})\]$|<(?:p|table) id=\"(E-[0-9a-f]{12})\"")
AUDIENCE = re.compile(r"^- For: (\w+)$|<span class=\"for\">(\w+)</span>", re.MULTILINE)
OBJECTIVES = re.compile(r"^- Objectives: (.*)$", re.MULTILINE)
LEFT_OUT = re.compile(r"^- What-ifs left out: (.*)$", re.MULTILINE)
LEFT_OUT_CODE = re.compile(r"<code class=\"left-out\">([^<]*)</code>")
OBJECTIVE = re.compile(r"<code class=\"slo\">([^<]+)</code>")
BLANK = re.compile(r"TODO\(human\): [^<\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`statements` machine-written lines were found, `recomputed` of them say the same again."""

    statements: int
    recomputed: int
    drifted: list[str]


def read_report(path: Path) -> str:
    """The text of a report file."""
    if path.suffix == ".pdf":
        raise UsageError(
            f"{path}: the numbers of a PDF cannot be read back; give the .md or .html of the same "
            "incident, which `report write --all` writes beside it"
        )
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


def audience_of(text: str, path: Path) -> Audience:
    """For whom a report was written."""
    match = AUDIENCE.search(text)
    name = "" if match is None else match.group(1) or match.group(2)
    if name not in list(Audience):
        raise DataError(f"{path} does not say for whom it is; is it a report of this version?")
    return Audience(name)


def objectives_of(text: str) -> list[str]:
    """Names of the files of objectives a report was written with."""
    match = OBJECTIVES.search(text)
    if match is not None:
        return re.findall(r"`+ ?([^`]+?) ?`+", match.group(1))
    return OBJECTIVE.findall(text)


def left_out_of(text: str, names: Iterable[str]) -> list[str]:
    """Those of the named what-ifs that a report says it leaves out."""
    match = LEFT_OUT.search(text)
    told = "" if match is None else match.group(1)
    coded = {unescape(one) for one in LEFT_OUT_CODE.findall(text)}
    return [name for name in names if markdown_code(name) in told or visible(name) in coded]


def verify(text: str, document: Document, *, html: bool) -> Verified:
    """Compare what stands in the report with what the data gives now, line by line.

    What people wrote has no evidence id and is left alone. A line that is gone has drifted, and so
    has one whose words, numbers or data changed. Drawings are held to what they would be now.
    """
    again = to_html(document) if html else to_markdown(document)
    written, expected = _lines(text), _lines(again)
    for drawing in _drawings(text) ^ _drawings(again):
        written.setdefault(drawing, [])
    drifted = sorted(
        evidence_id
        for evidence_id in written.keys() | expected.keys()
        if written.get(evidence_id) != expected.get(evidence_id)
    )
    same = sum(expected.get(evidence_id) == lines for evidence_id, lines in written.items())
    return Verified(statements=len(written), recomputed=same, drifted=drifted)


def _drawings(text: str) -> set[str]:
    """Drawings by what is drawn; text that changed makes another one."""
    return {f"drawing {digest(line)[:12]}" for line in text.splitlines() if line.startswith("<svg")}


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
