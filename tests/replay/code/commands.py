"""The command line on the recorded payments, as a user has it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ENTRY = "sample_traces.services.payment.replayed"
FLOW = "order-000210"


def environment(home: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "XDG_CONFIG_HOME": str(home), "PYTHONPATH": str(ROOT), "PATH": path}


def run(home: Path, *command: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], env=environment(home), cwd=cwd,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
