"""`retrospan governance`: what decisions were allowed to do; one file for each verb."""

import typer

from retrospan.cli.governance.backtest import ask_policy
from retrospan.cli.governance.decisive import name_decisive_step
from retrospan.cli.governance.policy_cases import check_cases, write_cases
from retrospan.cli.governance.report import report_governance

app = typer.Typer(help="Governance of decisions: metrics and policies.", no_args_is_help=True)
app.command("report")(report_governance)
app.command("backtest")(ask_policy)
app.command("cases")(write_cases)
app.command("test")(check_cases)
app.command("decisive")(name_decisive_step)
