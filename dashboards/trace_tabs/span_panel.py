"""Everything known of one span, beside the waterfall."""

from collections.abc import Iterator, Sequence
from typing import Literal

import streamlit as st

from analyzer.events import event_name
from dashboards import links
from dashboards.check_titles import titled
from dashboards.flow_page import FlowPage
from dashboards.markup import chip, facts, heading, message, notes, stated, word_chip
from dashboards.span_tree import Row, SpanTree
from dashboards.wording import body_text, duration_text, value_text
from store.conclusions import Attempt, CheckResult, Evidence, Finding, Step
from store.model import Span

BODY_LINES_MAX = 10  # a longer body scrolls by itself
BODY_HEIGHT_PX = 260
BodyHeight = int | Literal["content"]
LOG_COUNT_MAX = 100
EVENT_COUNT_MAX = 200
LINK_COUNT_MAX = 20


def span_panel(page: FlowPage, tree: SpanTree, row: Row) -> None:
    """Draws the panel."""
    span = row.span
    with st.container(border=True, height=760):
        st.html(heading(span.name or "(no name)", above=span.service, size_rem="1.1"))
        st.html(_chips(row, tree))
        st.code(f"trace {span.trace_id}\nspan {span.span_id}", language=None, wrap_lines=True)
        if span.status_message:
            st.html(notes([span.status_message], tone="error"))
        _verdicts(page, span)
        for step, number, attempt in _attempts(page, span):
            _attempt(step, number, attempt)
        _decisions(page, span)
        _events(page, span, tree)
        _section("Attributes", [(k, value_text(v)) for k, v in sorted(span.attributes.items())])
        _links(span, tree)
        _section("Resource", [(k, value_text(v)) for k, v in sorted(span.resource.items())])


def _chips(row: Row, tree: SpanTree) -> str:
    span = row.span
    took = span.end_ns - span.start_ns if span.end_ns is not None else None
    parts = [
        word_chip(span.status, label="status"),
        chip(f"took {duration_text(took)}" if took is not None else "not finished"),
        chip(f"starts at +{duration_text(span.start_ns - tree.start_ns)}"),
        chip(span.kind, title="span kind"),
    ]
    if row.critical_ns:
        parts.append(chip(f"{duration_text(row.critical_ns)} alone on the critical path", icon="▁"))
    parts += [chip(tag.text) for tag in row.tags]
    return "".join(parts)


def cites(evidence: Sequence[Evidence], span: Span) -> bool:
    """Whether one of the pointers leads to this span."""
    return any(
        one.span_id == span.span_id and one.trace_id in (None, span.trace_id) for one in evidence
    )


def _verdicts(page: FlowPage, span: Span) -> None:
    checks: list[CheckResult] = [
        check for saga in page.sagas for check in saga.checks if cites(check.evidence, span)
    ]
    found: list[Finding] = [one for one in page.findings if cites(one.evidence, span)]
    if not checks and not found:
        return
    st.html(heading("Checks and findings that cite this span", size_rem="0.95"))
    for check in checks:
        st.html(stated(check.verdict, titled(check.check)) + message(check.message))
    for one in found:
        st.html(
            stated(one.severity, titled(one.detector)) + message(one.message, remedy=one.remedy)
        )


def _attempts(page: FlowPage, span: Span) -> Iterator[tuple[Step, int, Attempt]]:
    for step in page.flow.steps:
        for number, attempt in enumerate(step.attempts, start=1):
            mine = attempt.trace_id == span.trace_id and span.span_id in (
                attempt.span_id,
                attempt.callee_span_id,
            )
            if mine:
                yield step, number, attempt


def _attempt(step: Step, number: int, attempt: Attempt) -> None:
    st.html(
        heading(
            f"{step.name}: attempt {number} of {len(step.attempts)}",
            above=f"step {step.step_id}",
            size_rem="0.95",
        )
    )
    known = {True: "yes", False: "no", None: "unknown"}
    pairs = [
        ("outcome for the caller", f"{attempt.outcome} ({attempt.status})"),
        ("outcome at the callee", attempt.callee_outcome or "not recorded"),
        ("took effect", known[attempt.took_effect]),
        ("error", attempt.error or ""),
        ("idempotency key", attempt.idempotency_key or ""),
        ("external reference", attempt.external_ref or ""),
        ("timeout", f"{attempt.timeout_ms:,} ms" if attempt.timeout_ms is not None else ""),
        ("breaker", attempt.breaker_state or ""),
    ]
    st.html(facts([(key, value) for key, value in pairs if value]))
    bodies = (
        ("Request", attempt.has_request, attempt.request),
        ("Response", attempt.has_response, attempt.response),
    )
    for title, there, body in bodies:
        if there:
            st.caption(title)
            text = body_text(body)
            long = text.count("\n") > BODY_LINES_MAX
            height: BodyHeight = BODY_HEIGHT_PX if long else "content"
            st.code(text, language="json", wrap_lines=True, height=height)
        else:
            st.caption(f"{title}: not recorded")


def _decisions(page: FlowPage, span: Span) -> None:
    for decision in page.decisions:
        if decision.span_id != span.span_id or decision.trace_id not in (None, span.trace_id):
            continue
        st.html(heading(f"Decision: {decision.chosen}", size_rem="0.95"))
        pairs = [
            ("decision id", decision.decision_id),
            (
                "confidence / threshold",
                f"{decision.confidence or '–'} / {decision.threshold or '–'}",
            ),
            ("model", f"{decision.model_name or '–'} {decision.model_version or ''}"),
            ("policy", f"{decision.policy_id or '–'} {decision.policy_outcome or ''}"),
        ]
        st.html(facts(pairs))


def _events(page: FlowPage, span: Span, tree: SpanTree) -> None:
    pairs = []
    for event in span.events[:EVENT_COUNT_MAX]:
        values = "\n".join(f"{k}: {value_text(v)}" for k, v in event.attributes.items())
        at = f"+{duration_text(event.time_ns - tree.start_ns)}"
        pairs.append((f"{at} {event.name}", values))
    _section("Events", pairs)
    logs = [
        log
        for log in page.logs
        if log.span_id == span.span_id and log.trace_id == span.trace_id and not event_name(log)
    ]
    lines = [
        (
            f"+{duration_text(log.time_ns - tree.start_ns)} "
            f"{log.severity_text or log.severity_number}",
            f"{log.event_name} {value_text(log.body) if log.body is not None else ''}".strip(),
        )
        for log in logs[:LOG_COUNT_MAX]
    ]
    more = len(logs) - len(lines)
    _section("Logs", [*lines, ("", f"{more:,} more")] if more else lines)


def _links(span: Span, tree: SpanTree) -> None:
    if not span.links:
        return
    st.html(heading(f"Links ({len(span.links)})", size_rem="0.95"))
    for place, link in enumerate(span.links[:LINK_COUNT_MAX]):
        row = tree.find(link.span_id, link.trace_id)
        if row is not None:
            other = tree.rows[row].span
            label = f"{other.service} {other.name}"
            key = f"link-{span.span_id}-{place}"
            links.span_button(label, key=key, trace_id=link.trace_id, span_id=link.span_id)
        else:
            links.span_link(
                f"span {link.span_id}, outside this flow",
                trace_id=link.trace_id,
                span_id=link.span_id,
            )
    if len(span.links) > LINK_COUNT_MAX:
        st.caption(f"{len(span.links) - LINK_COUNT_MAX:,} more; the export has all.")


def _section(title: str, pairs: list[tuple[str, str]]) -> None:
    if pairs:
        st.html(heading(f"{title} ({len(pairs)})", size_rem="0.95"))
        st.html(facts(pairs))
