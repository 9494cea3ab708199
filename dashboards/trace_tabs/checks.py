"""What was checked, what was found, what is left standing, with the evidence."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboards import links
from dashboards.check_titles import titled
from dashboards.flow_page import FlowPage
from dashboards.markup import facts, heading, message, notes, stated, word_chip, worded
from dashboards.trace_tabs.replays import replays_part
from dashboards.wording import amount_text, duration_text, plural, shortened
from store.conclusions import Evidence, Finding, ResidualEffect, SagaVerdict, Verdict

EVIDENCE_COUNT_MAX = 8
NAME_LENGTH_MAX = 48
Names = Mapping[str, str]  # span id to what it is called
_ORDER = list(Verdict)
_TONE = {Verdict.VIOLATION: "error", Verdict.SUSPECTED: "warn"}


def checks_tab(page: FlowPage) -> None:
    """Worst first; evidence leads to the spans."""
    names = _names(page)
    if not page.sagas and not page.findings:
        st.text("No saga was found in this flow and no detector had anything to tell.")
    for number, saga in enumerate(page.sagas):
        _saga(saga, number, names)
    if page.findings:
        st.subheader("Findings")
    for number, one in enumerate(sorted(page.findings, key=_severity)):
        _finding(one, number, names)
    replays_part(page)


def _names(page: FlowPage) -> Names:
    start_ns = page.flow.start_ns
    return {
        span.span_id: f"{shortened(f'{span.service} {span.name}', NAME_LENGTH_MAX)} "
        f"+{duration_text(span.start_ns - start_ns)}"
        for span in page.spans
    }


def _severity(one: Finding) -> tuple[int, int, str]:
    rank = {"critical": 0, "warning": 1}.get(one.severity, 2)
    return rank, _ORDER.index(one.verdict), one.finding_id


def _saga(saga: SagaVerdict, number: int, names: Names) -> None:
    st.html(
        heading(saga.name or "Saga", above=f"saga {saga.saga_id}", size_rem="1.2")
        + word_chip(saga.verdict, label="verdict")
    )
    if saga.residual_effects:
        st.subheader("Effects left standing")
        st.text("A person may have to undo these:")
        for place, effect in enumerate(saga.residual_effects):
            _effect(effect, f"effect-{number}-{place}", names)
    told = [check for check in saga.checks if check.verdict not in ("pass", "not_applicable")]
    rest = [check for check in saga.checks if check.verdict in ("pass", "not_applicable")]
    for place, check in enumerate(sorted(told, key=lambda one: _ORDER.index(one.verdict))):
        with st.container(border=True):
            st.html(
                stated(check.verdict, titled(check.check))
                + message(check.message, tone=_TONE.get(check.verdict, "neutral"))
            )
            if check.missing:
                st.html(notes([f"would settle it: {name}" for name in check.missing]))
            _evidence(check.evidence, f"check-{number}-{place}", names)
    if rest:
        with st.expander(f"{plural(len(rest), 'check')} passed or did not apply"):
            st.html(
                facts(
                    [(worded(one.verdict), f"{titled(one.check)}\n{one.message}") for one in rest]
                )
            )


def _effect(effect: ResidualEffect, key: str, names: Names) -> None:
    with st.container(border=True):
        pairs = [
            ("step", effect.step),
            ("at", effect.callee),
            ("amount", amount_text(effect.amount, effect.currency)),
            ("resource", effect.resource or "–"),
            ("reference there", effect.external_ref or "–"),
            ("idempotency key", effect.idempotency_key or "–"),
        ]
        st.html(facts(pairs))
        _evidence([effect.evidence], key, names)


def _finding(one: Finding, number: int, names: Names) -> None:
    with st.container(border=True):
        tone = {"critical": "error", "warning": "warn"}.get(one.severity, "info")
        st.html(
            stated(one.severity, titled(one.detector))
            + word_chip(one.verdict, label="verdict")
            + message(one.message, tone=tone, remedy=one.remedy)
        )
        _evidence(one.evidence, f"finding-{number}", names)


def _evidence(evidence: Sequence[Evidence], key: str, names: Names) -> None:
    spans = [one for one in evidence if one.span_id]
    if not spans:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        for place, one in enumerate(spans[:EVIDENCE_COUNT_MAX]):
            links.span_button(
                names.get(one.span_id or "", f"span {one.span_id}"),
                key=f"{key}-{place}",
                trace_id=one.trace_id,
                span_id=one.span_id or "",
            )
        if len(spans) > EVIDENCE_COUNT_MAX:
            st.caption(f"and {len(spans) - EVIDENCE_COUNT_MAX} more")
