"""`retrospan decisions`: what models and rules chose; one file for each verb."""

import typer

from retrospan.cli.decisions.listing import list_decisions
from retrospan.cli.decisions.proofs import prove_decision, verify_log, write_head
from retrospan.cli.decisions.show import show_decision

app = typer.Typer(help="Decisions: what models and rules chose.", no_args_is_help=True)
app.command("list")(list_decisions)
app.command("show")(show_decision)
app.command("verify")(verify_log)
app.command("prove")(prove_decision)
app.command("head")(write_head)
