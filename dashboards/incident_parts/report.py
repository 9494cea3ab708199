"""The post-mortem of an incident: looked at here, saved from here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import polars as pl
import streamlit as st

from dashboards import configured, data, links
from dashboards.access import may_write
from dashboards.components.address_filters import filter_choice, one_of
from dashboards.components.plain_table import plain_table
from dashboards.markup import line
from dashboards.wording import clean, plural
from retrospan.audience import Audience
from retrospan.report.build import build
from retrospan.report.gathering import facts_of
from retrospan.report.model import Blank, Document
from retrospan.report.objectives import objectives
from retrospan.report.pdf import to_pdf
from retrospan.report.render import to_html, to_markdown
from retrospan.report.what_ifs import Compared, compared, without
from store.conclusions import Incident

FLOWS_MAX = 20_000  # beyond that the command is the place
AT_ONCE_MAX = 2_000  # flows of a store whose reports are written unasked
FLOWS_PER_SECOND = 200  # read, and causes looked for among them
PREVIEW_HEIGHT_PX = 900
_ASKED = "report-for"  # in the session: the incident whose report was asked for
# The report is black on white by itself; the frame it is looked at in takes the page's theme.
_PAPER = "<style>:root{color-scheme:light}html{background:#fff;padding:0 1rem}</style></head>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A report in both its texts, what is in it, and every what-if that was run over its window."""

    html: str
    markdown: str
    document: Document
    blanks: int
    what_ifs: Sequence[Compared]
    left_out: Sequence[str]


def report_tab(incident: Incident, flows: int) -> None:
    """Preview, the files, the commands that write and recompute it."""
    name = f"post-mortem-{incident.incident_id}"
    if flows > FLOWS_MAX:
        st.text(
            f"This store holds {flows:,} flows; a page writes reports of at most {FLOWS_MAX:,}. "
            "The command writes the same report:"
        )
        links.as_command("report", "write", incident.incident_id, "-o", f"{name}.html")
        return
    if flows > AT_ONCE_MAX and st.session_state.get(_ASKED) != incident.incident_id:
        st.text(
            f"The report reads all {flows:,} flows of this store and looks for causes by replay: "
            f"about {flows // FLOWS_PER_SECOND:,} s."
        )
        st.button("Write the report", key="report-ask", on_click=_ask, args=(incident.incident_id,))
        return
    readers = [Audience.ENGINEER, *(it for it in Audience if it is not Audience.ENGINEER)]
    audience = one_of("Written for", "for", [one.value for one in readers])
    path, left_out = data.store_path(), tuple(sorted(set(st.query_params.get_all("without"))))
    stamp = data.stamp_of(path)
    report = written(str(path), stamp, incident.incident_id, Audience(audience), left_out)
    _what_ifs(incident, report)
    st.html(
        line(
            [
                f"{plural(len(report.document.statements), 'sentence')} written by the machine",
                f"{plural(len(report.document.evidence), 'piece')} of evidence to recompute them "
                "from",
                f"{plural(report.blanks, 'blank')} for people",
            ]
        )
    )
    with st.container(horizontal=True):
        files: list[tuple[str, str, str, str | Callable[[], bytes]]] = [
            ("Save HTML", "html", "text/html", report.html),
            ("Save Markdown", "md", "text/markdown", report.markdown),
        ]
        if find_spec("weasyprint"):
            files.append(("Save PDF", "pdf", "application/pdf", partial(to_pdf, report.document)))
        for label, suffix, mime, made in files:
            st.download_button(
                label, made, f"{name}.{suffix}", mime, key=f"report-{suffix}", on_click="ignore"
            )
    preview = report.html.replace("</head>", _PAPER, 1)
    st.iframe(preview, height=PREVIEW_HEIGHT_PX, alt="Preview of the post-mortem")
    with st.expander("From the command line"):
        target = ["-o", f"{name}.html", "--for", audience]
        for what_if in report.left_out:
            target += ["--without", what_if]
        links.as_command("report", "write", incident.incident_id, *target)
        links.as_command("report", "verify", f"{name}.html")


def _ask(incident_id: str) -> None:
    st.session_state[_ASKED] = incident_id


def _what_ifs(incident: Incident, report: Written) -> None:
    """Which what-ifs it tells of, the choice among them, and the way to one more."""
    if report.what_ifs:
        table = pl.DataFrame([_row(one, report.left_out) for one in report.what_ifs])
        plain_table(table, key="report_what_ifs", alt="What-ifs that were run over the window")
        names = [one.scenario for one in report.what_ifs]
        label = "Leave out of the report, which then says so"
        filter_choice(label, "without", names, clean, "none")
    else:
        st.text("No what-if was run over this window, so the report tells of none.")
    if incident.flow_ids:
        links.view_link(
            "replay",
            "Ask a what-if and add it",
            flow=incident.flow_ids[0],
            incident=incident.incident_id,
        )


def _row(one: Compared, left_out: Sequence[str]) -> dict[str, object]:
    return {
        "what-if": clean(one.scenario),
        "in the report": "– left out" if one.scenario in left_out else "✔ told",
        "replays": len(one.runs),
        "make a claim": f"{len(one.usable):,} of {len(one.runs):,}",
        "of these end otherwise": f"{one.differing:,} of {len(one.usable):,}",
        "make fewer calls": f"{one.fewer:,} of {len(one.usable):,}",
    }


@st.cache_resource(max_entries=4, show_spinner="Looking for causes by replay, writing the report …")
def written(
    path: str, stamp: data.Stamp, incident_id: str, audience: Audience, left_out: Sequence[str]
) -> Written:
    """The report as `retrospan report write` writes it; `left_out` names what-ifs."""
    del path, stamp  # only parts of the key
    edge = configured.edge()
    held_to = objectives((), edge.settings())
    facts = facts_of(edge, incident_id, held_to, keeps=may_write())
    what_ifs = compared(facts)
    told = without(facts, [one.scenario for one in what_ifs if one.scenario in left_out])
    document = build(told, audience)
    blocks = [block for section in document.sections for block in section.blocks]
    return Written(
        html=to_html(document),
        markdown=to_markdown(document),
        document=document,
        blanks=sum(isinstance(block, Blank) for block in blocks),
        what_ifs=what_ifs,
        left_out=told.left_out,
    )
