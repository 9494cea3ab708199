"""The options of `replay run` that concern code of the user's own."""

from typing import Annotated

import typer

CodeOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:FUNCTION",
        help="Run this function of your own on each flow's input, in a child process without "
        "network; the folder you are in is on its path.",
    ),
]
PythonOption = Annotated[
    str, typer.Option(help="With --code or --temporal: your interpreter, as .venv/bin/python.")
]
ExploreOption = Annotated[
    int, typer.Option(min=0, max=1_000, help="With --code: other orders to try, to find races.")
]
IsolateOption = Annotated[
    bool,
    typer.Option(
        "--isolate/--no-isolate",
        help="With --code: a process for each flow, so that none sees what another left behind; "
        "one for all is three times as fast.",
    ),
]
PdbOption = Annotated[
    bool,
    typer.Option(
        "--pdb",
        help="With --code and one FLOW_ID: debug the function in this terminal; virtual time "
        "stands while you look.",
    ),
]
ExpectOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CEL",
        help="With --code: what must hold, such as 'keys[\"shop POST /orders\"] <= 1'; it "
        "decides the exit code instead of the verdict. Repeatable.",
    ),
]
TemporalOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE[:REPLAYER]",
        help="Replay Temporal histories by the workflows of this module: flows that were loaded "
        "from histories, or history files or folders, which need no store.",
    ),
]
AsNewOption = Annotated[
    bool,
    typer.Option(
        "--as-new",
        help="With --temporal: run the code as if each workflow had begun today, so that it takes "
        "the new side of its patches.",
    ),
]
