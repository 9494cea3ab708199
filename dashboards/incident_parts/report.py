"""The post-mortem of an incident: looked at here, saved from here."""

from dataclasses import dataclass

import streamlit as st

from dashboards import configured, data, links
from dashboards.components.address_filters import one_of
from dashboards.markup import line
from dashboards.wording import plural
from retrospan.audience import Audience
from retrospan.report.build import build
from retrospan.report.facts import gather
from retrospan.report.model import Blank
from retrospan.report.render import to_html, to_markdown
from store.conclusions import Incident

FLOWS_MAX = 20_000  # beyond that a page would make its reader wait; the command does not
PREVIEW_HEIGHT_PX = 900
# The report is black on white by itself; the frame it is looked at in takes the page's theme.
_PAPER = "<style>:root{color-scheme:light}html{background:#fff;padding:0 1rem}</style></head>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A report in both forms, and what is in it."""

    html: str
    markdown: str
    statements: int
    evidence: int
    blanks: int


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
    readers = [Audience.ENGINEER, *(it for it in Audience if it is not Audience.ENGINEER)]
    audience = one_of("Written for", "for", [one.value for one in readers])
    path = data.store_path()
    report = written(str(path), data.stamp_of(path), incident.incident_id, Audience(audience))
    st.html(
        line(
            [
                f"{plural(report.statements, 'sentence')} written by the machine",
                f"{plural(report.evidence, 'piece')} of evidence to recompute them from",
                f"{plural(report.blanks, 'blank')} for people",
            ]
        )
    )
    with st.container(horizontal=True):
        for label, suffix, mime, text in (
            ("Save HTML", "html", "text/html", report.html),
            ("Save Markdown", "md", "text/markdown", report.markdown),
        ):
            st.download_button(
                label, text, f"{name}.{suffix}", mime, key=f"report-{suffix}", on_click="ignore"
            )
    preview = report.html.replace("</head>", _PAPER, 1)
    st.iframe(preview, height=PREVIEW_HEIGHT_PX, alt="Preview of the post-mortem")
    with st.expander("From the command line"):
        target = ("-o", f"{name}.html", "--for", audience)
        links.as_command("report", "write", incident.incident_id, *target)
        links.as_command("report", "verify", f"{name}.html")


@st.cache_resource(max_entries=4, show_spinner="Writing the report …")
def written(path: str, stamp: data.Stamp, incident_id: str, audience: Audience) -> Written:
    """The report as `retrospan report write` writes it."""
    del stamp  # only part of the key
    objectives, releases = configured.held_to()
    facts = data.held(
        "writing a report",
        lambda session: gather(session, incident_id, objectives, releases),
        path,
    )
    document = build(facts, audience)
    blocks = [block for section in document.sections for block in section.blocks]
    return Written(
        html=to_html(document),
        markdown=to_markdown(document),
        statements=len(document.statements),
        evidence=len(document.evidence),
        blanks=sum(isinstance(block, Blank) for block in blocks),
    )
