"""`retrospan doctor`: whether everything here is as it should be."""

import typer

from retrospan.edge import ExitCode, edge_of, put
from retrospan.listing import AsJson
from retrospan.text import visible

WORDS = {"fine": "ok", "note": "note", "problem": "PROBLEM"}


def command(context: typer.Context, as_json: AsJson = False) -> int:
    """Look at versions, configuration, keys and the store; exit code 4 when something is wrong."""
    from retrospan.canonical import pretty
    from retrospan.diagnosis import State, diagnose

    checks = diagnose(edge_of(context))
    if as_json:
        rows = [check.to_row() for check in checks]
        put([pretty({"schema": "retrospan.doctor/1", "checks": list(rows)})])
    else:
        put(f"{WORDS[check.state]:8}{check.check:15}{visible(check.message)}" for check in checks)
    bad = any(check.state is State.PROBLEM for check in checks)
    return ExitCode.BAD_DATA if bad else ExitCode.FINE
