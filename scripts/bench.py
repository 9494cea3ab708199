"""Every program in `benchmarks/`, at small sizes: does each still run, and what are its ratios.

    python scripts/bench.py [--full] [PROGRAM ...]

Small sizes take some minutes; `--full` runs each with its own default, which is what the numbers in
the documents come from. Each runs in a process of its own, for at most `MINUTES_MAX` minutes; one
that fails does not keep the others from running, and makes the exit code 1. Those that measure on
data made by others take it from RETROSPAN_CORPORA, and are named and left out without it.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "benchmarks"
MINUTES_MAX = 60
SMALL: dict[str, list[str]] = {
    "attributes": ["--spans", "5000"],
    "counterfactuals": ["--flows", "60", "--changed", "4", "--seeds", "1"],
    "dashboard": ["--flows", "100", "--spans", "0"],
    "derive": ["--flows", "100"],
    "inference": ["--flows", "60", "--changes", "10", "--seeds", "1"],
    "ingest": ["--spans", "10000"],
    "lease": ["--spans", "2000", "--readers", "2", "--seconds-max", "120"],
    "receive": ["--bodies", "6", "--runs", "1"],
    "replay": ["--replays", "500"],
    "replay_code": ["20"],
    "replay_server": ["--flows", "10", "--rounds", "2"],
    "slo": ["--flows", "500"],
}
# Of the corpora: the folder each program reads.
OTHERS_DATA = {"agents": "agents", "rootcause": "rca"}


def arguments_of(name: str, full: bool) -> list[str] | None:
    """What a program is called with; None when the data it measures on is not here."""
    if name in OTHERS_DATA:
        folder = Path(os.environ.get("RETROSPAN_CORPORA", "")) / OTHERS_DATA[name]
        return ["--data", str(folder)] if folder.is_absolute() and folder.is_dir() else None
    return [] if full else SMALL.get(name, [])


def run(name: str, arguments: list[str]) -> bool:
    """Whether a program came to its end in time."""
    print(f"== {name} {' '.join(arguments)}", flush=True)
    began = time.perf_counter()
    command = [sys.executable, "-P", str(FOLDER / f"{name}.py"), *arguments]
    try:
        code: object = subprocess.run(command, cwd=ROOT, timeout=MINUTES_MAX * 60).returncode
    except subprocess.TimeoutExpired:
        code = f"{MINUTES_MAX} minutes"
    seconds = time.perf_counter() - began
    print(f"-- {name}: {seconds:.0f} s{f', ENDED BY {code}' if code else ''}\n", flush=True)
    return code == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    known = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=", ".join(known))
    parser.add_argument("--full", action="store_true", help="at full size")
    given = parser.parse_args()
    if wrong := [name for name in given.programs if name not in known]:
        parser.error(f"no such program: {', '.join(wrong)}; there are: {', '.join(known)}")
    failed = []
    for name in given.programs or known:
        arguments = arguments_of(name, given.full)
        if arguments is None:
            print(f"== {name}: left out, RETROSPAN_CORPORA names no folder {OTHERS_DATA[name]}\n")
        elif not run(name, arguments):
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
