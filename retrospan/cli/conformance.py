"""`retrospan conformance`: do flows keep to what was declared, how far is a modernisation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import edge_of, put, worst
from retrospan.listing import (
    LIMIT_DEFAULT,
    AsJson,
    Column,
    Format,
    FormatOption,
    Limit,
    Listing,
    Row,
    show,
)
from retrospan.text import visible

if TYPE_CHECKING:
    from analyzer.conformance import Answer, Report
    from retrospan.documents import Document

app = typer.Typer(
    help="Conformance: what was declared of flows, and what they do.", no_args_is_help=True
)

CELLS = ("report", "verdict", "declared", "checked", "unknown", "message")


@app.command("report")
def report_conformance(
    context: typer.Context,
    report: Annotated[
        list[str] | None,
        typer.Option("--report", metavar="NAME", help="Only this report; repeatable."),
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Declared flows and boundary, coupling, old and new paths, messages, staging, calls and
    tokens, conventions. Exit code 3 when a declared rule is broken; what is not declared under
    [conformance] is shown, not judged."""
    from analyzer.conformance import conformance, reports
    from retrospan.conforming import conformance_settings
    from store.errors import UsageError

    edge = edge_of(context)
    settings = conformance_settings(edge.settings())
    known = {one.name: one for one in reports()}
    unknown = sorted(set(report or ()) - set(known))
    if unknown:
        raise UsageError(f"--report {unknown[0]}: there are {', '.join(known)}")
    chosen = [one for name, one in known.items() if not report or name in report]
    with edge.reading("reporting conformance") as session:
        answers = conformance(session, settings, chosen)
    document = conformance_document(chosen, answers, limit)
    rows = document["reports"]
    assert isinstance(rows, list)
    if form is Format.TABLE and not as_json:
        for one in chosen:
            _print(one, answers[one.name], limit)
    else:
        show(
            Listing(
                document=document,
                rows=[row for row in rows if isinstance(row, dict)],
                columns=(),
                cells=CELLS,
                empty="",
            ),
            form,
            as_json,
        )
    return worst(violation=any(answer.verdict == "violation" for answer in answers.values()))


def conformance_document(
    chosen: "Sequence[Report]", answers: "dict[str, Answer]", limit: int
) -> "Document":
    """`retrospan.conformance/1`; shares are 0 to 1 with six digits."""
    from retrospan.documents import evidence_document

    return {
        "schema": "retrospan.conformance/1",
        "reports": [
            {
                "report": one.name,
                "title": one.title,
                "verdict": answers[one.name].verdict.value,
                "message": answers[one.name].message,
                "declared": answers[one.name].declared,
                "checked": answers[one.name].checked,
                "unknown": answers[one.name].unknown,
                "columns": list(answers[one.name].columns),
                "rows": [dict(row) for row in answers[one.name].rows[:limit]],
                "evidence": [evidence_document(it) for it in answers[one.name].evidence],
            }
            for one in chosen
        ],
    }


def _print(report: "Report", answer: "Answer", limit: int) -> None:
    unknown = f", {answer.unknown} unknown" if answer.unknown else ""
    sentence = answer.message[:1].upper() + answer.message[1:]
    put(
        [
            f"{report.title} [{report.name}]: {answer.verdict.value.replace('_', ' ')} "
            f"(n = {answer.checked}{unknown}). {visible(sentence)}."
        ]
    )
    if answer.rows:
        show(
            Listing(
                document={},
                rows=answer.rows[:limit],
                columns=[_column(name, answer.rows[0]) for name in answer.columns],
                cells=(),
                empty="",
            ),
            Format.TABLE,
            False,
        )
    if len(answer.rows) > limit:
        put([f"{len(answer.rows) - limit} more rows: --limit shows more."])
    put([""])


def _column(name: str, sample: Row) -> Column:
    from retrospan.timespan import humane, utc

    def cell(row: Row) -> object:
        value = row[name]
        if value is None or isinstance(value, bool):
            return value
        if name == "start_ns" and isinstance(value, int):
            return utc(value)
        if name.endswith("_ns") and isinstance(value, int):
            return humane(value)
        if isinstance(value, float):
            return f"{100 * value:.1f} %"
        return value

    text = isinstance(sample[name], str | bool)
    return Column(header=name.removesuffix("_ns").replace("_", " "), show=cell, right=not text)
