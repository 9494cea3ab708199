"""The command line: one file per noun, found by its place.

A file here exports `app` (a Typer group named after the file) or `command` (one function). In: what
a user types. Out: data on standard output, everything else on standard error, an exit code.
Start reading at `run`, the one place where errors become exit codes.
"""

import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from retrospan import telemetry
from retrospan.config import CONFIG_VARIABLE, DB_VARIABLE
from retrospan.edge import STORE_DEFAULT, Edge, ExitCode, ReaderGoneError, tell
from store.errors import InvariantError, RetrospanError

GLOBAL_FLAGS = frozenset({"-q", "--quiet", "-v", "--verbose"})
GLOBAL_VALUES = frozenset({"--db", "--config"})
HELP = (
    "What happened to your flows, was it undone, would the fix have helped: answered from "
    "OpenTelemetry data and decision logs, with evidence."
)
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line, traced where a collector is named; returns its exit code."""
    with telemetry.command(_named(arguments), tell) as running:
        running.exit_code = int(_ran(arguments))
    return running.exit_code


def _named(arguments: Sequence[str]) -> str:
    """The command in a trace: its noun alone, never what a user typed beside it."""
    known = nouns()
    words = iter(hoisted(arguments))
    for word in words:
        if word in GLOBAL_VALUES:
            next(words, None)
        elif word in known:
            return word
    return "without a command"


def _ran(arguments: Sequence[str]) -> int:
    """Every error ends here, in one line and an exit code."""
    verbose = any(flag in arguments for flag in ("-v", "--verbose"))
    try:
        code = application()(args=hoisted(arguments), prog_name="retrospan", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return _failed("interrupted", ExitCode.INTERRUPTED)
    except typer.TyperException as error:
        return _usage(error)
    except RetrospanError as error:
        if verbose:
            traceback.print_exc(file=sys.stderr)
        return _failed(str(error), error.exit_code)
    except (ReaderGoneError, BrokenPipeError):
        # Leave nothing for Python to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FINE
    except Exception as error:
        if verbose:
            traceback.print_exc(file=sys.stderr)
        hint = "" if verbose else " (this is a bug; -v shows where)"
        return _failed(f"{type(error).__name__}: {error}{hint}", ExitCode.FAILED)
    return code if isinstance(code, int) else ExitCode.FINE


def _failed(message: str, code: int) -> int:
    tell("retrospan: " + " ".join(message.split()))
    return int(code)


def _usage(error: typer.TyperException) -> int:
    """What Typer refuses: the message, then where to read on. A bare group shows its help."""
    context = getattr(error, "ctx", None)
    said = str(getattr(error, "format_message", lambda: error)())
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(said + "\n")
        return ExitCode.USAGE
    path = context.command_path if context is not None else "retrospan"
    return _failed(f"{said} (see {path} --help)", ExitCode.USAGE)


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Global options moved to the front, so that they may stand after the command too."""
    front: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            rest += [word, *waiting]
            break
        if word in GLOBAL_FLAGS or word.partition("=")[0] in GLOBAL_VALUES:
            front.append(word)
            if word in GLOBAL_VALUES and waiting:
                front.append(waiting.pop(0))
        else:
            rest.append(word)
    return front + rest


def application() -> typer.Typer:
    """The root command with everything found beside this file."""
    root = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        context_settings=CONTEXT,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
    )
    root.callback()(_globals)
    neither = []
    for name in nouns():
        module = importlib.import_module(f"{__name__}.{name}")
        if isinstance(group := getattr(module, "app", None), typer.Typer):
            root.add_typer(group, name=name)
        elif callable(command := getattr(module, "command", None)):
            root.command(name)(command)
        else:
            neither.append(name)
    if neither:
        raise InvariantError(f"no app and no command in retrospan/cli: {', '.join(neither)}")
    return root


def nouns() -> list[str]:
    """Names of the files beside this one."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def _version(wanted: bool) -> None:
    if wanted:
        from retrospan import version

        sys.stdout.write(f"retrospan {version()}\n")
        raise typer.Exit


def _globals(
    context: typer.Context,
    db: Annotated[Path, typer.Option(envvar=DB_VARIABLE, help="The store file.")] = Path(
        STORE_DEFAULT
    ),
    config: Annotated[
        Path | None, typer.Option(envvar=CONFIG_VARIABLE, help="The configuration file.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only data and errors.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show where an error comes from.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    del version
    context.obj = Edge(db=db, config=config, quiet=quiet, verbose=verbose)
