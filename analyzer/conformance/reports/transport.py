"""Calls in plain text or without authentication, as far as the attributes tell.

The absence of a recorded header is no evidence: headers are captured only where asked for. So a
call is unauthenticated only where `retrospan.auth.method` says none.
"""

from collections.abc import Mapping

from analyzer.conformance.report import EVIDENCE_MAX, Answer, Report, Rows, verdict_of
from analyzer.conformance.settings import ConformanceSettings
from store.conclusions import Evidence

COLUMNS = (
    "caller", "callee", "calls", "encrypted", "plaintext", "encryption_unknown", "authenticated",
    "unauthenticated", "authentication_unknown", "refused_401",
)  # fmt: skip


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    rows = [
        {
            "caller": row["caller"],
            "callee": row["callee"],
            "calls": row["calls"],
            "encrypted": row["encrypted"],
            "plaintext": row["plaintext"],
            "encryption_unknown": row["calls"] - row["encrypted"] - row["plaintext"],
            "authenticated": row["authenticated"],
            "unauthenticated": row["unauthenticated"],
            "authentication_unknown": row["calls"] - row["authenticated"] - row["unauthenticated"],
            "refused_401": row["refused"],
        }
        for row in answers["transport"]
    ]
    calls = sum(row["calls"] for row in rows)
    plain = sum(row["plaintext"] for row in rows)
    bare = sum(row["unauthenticated"] for row in rows)
    dark = sum(row["encryption_unknown"] for row in rows)
    silent = sum(row["authentication_unknown"] for row in rows)
    declared = settings.require_tls or settings.require_authentication
    violations = plain * settings.require_tls + bare * settings.require_authentication
    unknown = max(dark * settings.require_tls, silent * settings.require_authentication)
    said = (
        f"of {calls} calls {plain} were plain text as caller or callee saw it and {dark} do not "
        f"say; {bare} say they were unauthenticated and {silent} do not say"
    )
    if not declared:
        said += "; neither require_tls nor require_authentication is declared"
    found = []
    for row in answers["transport"]:
        if settings.require_tls and row["plain_trace"]:
            found.append((row["plain_trace"], row["plain_span"]))
        if settings.require_authentication and row["open_trace"]:
            found.append((row["open_trace"], row["open_span"]))
    return Answer(
        verdict=verdict_of(
            declared=declared, checked=calls, violations=violations, unknown=unknown
        ),
        message=said,
        declared=declared,
        checked=calls,
        unknown=unknown,
        columns=COLUMNS,
        rows=rows,
        evidence=[
            Evidence(kind="span", trace_id=trace_id, span_id=span_id)
            for trace_id, span_id in found[:EVIDENCE_MAX]
        ],
    )


REPORT = Report(
    name="transport",
    title="Encryption and authentication of calls",
    asks=lambda settings: {"transport": ("transport", {})},
    judge=_judge,
)
