"""`retrospan replay`: recorded flows, re-executed; one file for each verb."""

import typer

from retrospan.cli.replay.batch import run_batch
from retrospan.cli.replay.flip import flip_flow
from retrospan.cli.replay.population import simulate_population
from retrospan.cli.replay.programs import list_programs
from retrospan.cli.replay.run import run_replays
from retrospan.mock_serving import serve_flows

app = typer.Typer(help="Replays: recorded flows, re-executed.", no_args_is_help=True)
app.command("serve")(serve_flows)
app.command("run")(run_replays)
app.command("batch")(run_batch)
app.command("population")(simulate_population)
app.command("flip")(flip_flow)
app.command("programs")(list_programs)
