"""`retrospan governance cases`, `test`: recorded decisions as regression tests of a policy."""

from pathlib import Path
from typing import Annotated

import typer

from retrospan.cli.governance.backtest import PolicyFile, RegoRule
from retrospan.edge import ExitCode, edge_of, put, worst
from retrospan.listing import AsJson, Format, FormatOption, Listing, Row, field, show
from retrospan.output import write_text

FAILED_COLUMNS = (
    field("decision", "decision_id"),
    field("expected", "expected"),
    field("policy says", "answered"),
)
FAILED_CELLS = ("decision_id", "expected", "answered")


def write_cases(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Write them here.")],
) -> int:
    """Write recorded decisions as test cases of a policy: what was known, what the gate said."""
    from analyzer.oversight.cases import cases_of, lines_of
    from analyzer.oversight.read import read_joined

    edge = edge_of(context)
    with edge.reading("writing policy cases") as session:
        decisions, _ = read_joined(session)
    found = cases_of(decisions)
    write_text(out, "".join(f"{line}\n" for line in lines_of(found)))
    put([f"{out}: {len(found)} cases of {len(decisions)} decisions"])
    return ExitCode.FINE


def check_cases(
    policy: PolicyFile,
    recorded: Annotated[
        Path, typer.Option("--cases", metavar="FILE", help="What `governance cases` wrote.")
    ],
    rule: RegoRule = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Test a policy against recorded cases, without a store. Exit code 3 when one fails."""
    from analyzer.oversight.asked import asked
    from analyzer.oversight.cases import failures, read_cases
    from retrospan.documents import Document
    from store.errors import DataError

    known = read_cases(recorded)
    if not known:
        raise DataError(f"{recorded} holds no case, so nothing was tested")
    found = asked(policy, rule, [it.facts for it in known])
    failed = failures(known, found.answers)
    rows: list[Row] = [
        {"decision_id": it.decision_id, "expected": it.expected, "answered": it.answered}
        for it in failed
    ]
    document: Document = {
        "schema": "retrospan.governance_test/1",
        "policy": {"id": found.policy_id, "version": found.version, "sha256": found.sha256},
        "n": len(known),
        "failed": [dict(row) for row in rows],
    }
    show(
        Listing(
            document=document,
            rows=rows,
            columns=FAILED_COLUMNS,
            cells=FAILED_CELLS,
            empty=f"all {len(known)} cases pass",
        ),
        form,
        as_json,
    )
    return worst(violation=bool(failed))
