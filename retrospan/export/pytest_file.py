"""A recorded flow as a test of the project whose code it ran through.

Out: a small test file, and the recording beside it. The test needs the retrospan command and the
project's own interpreter; it runs the project's code on the recording, without network.
"""

import re
from pathlib import Path

from replay.code.facts import NAMES
from retrospan.export.exported import Exported, ExportedFile
from retrospan.export.otlp_file import export_otlp
from store import read
from store.errors import UsageError
from store.lease import Store

_TEST = '''"""Runs {code} on the recorded flow {flow}, in a child process without network.

The recording answers every call. Expected: {expected}.
Where this counts keys, it assumes that the callee honours idempotency keys.
"""

import subprocess
import sys
from pathlib import Path

RECORDING = Path(__file__).with_name({recording!r})
RETROSPAN = "retrospan"
FLOW = {flow!r}
CODE = {code!r}
EXPECTED = {expectations!r}


def test_{name}(tmp_path):
    store = [RETROSPAN, "--db", str(tmp_path / "flow.duckdb"), "-q"]
    subprocess.run([*store, "ingest", str(RECORDING)], check=True, stdout=subprocess.DEVNULL)
    replay = [*store, "replay", "run", FLOW, "--code", CODE, "--python", sys.executable]
    for expected in EXPECTED:
        replay += ["--expect", expected]
    done = subprocess.run([*replay, "--explain"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
'''


def export_pytest(
    store: Store, flow_id: str, folder: Path, code: str, expected: tuple[str, ...]
) -> Exported:
    """Write the test and its recording into a folder, which is made when missing."""
    from analyzer.expression import compiled

    if not re.fullmatch(r"[\w.]+:[\w.]+", code):
        raise UsageError(f"--code takes MODULE:FUNCTION, not {code!r}")
    if not expected:
        raise UsageError(
            "export pytest takes --expect, such as 'keys[\"gateway POST /charges\"] <= 1'; "
            f"it may read {', '.join(NAMES)}"
        )
    for text in expected:
        compiled(text, NAMES, "--expect")
    with store.reading("reading a flow to export") as session:
        flow = read.read_flow(session, flow_id)
    name = re.sub(r"\W+", "_", flow.flow_id).strip("_").lower() or "flow"
    recording = folder / f"{name}.jsonl.gz"
    test = folder / f"test_{name}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        exported = export_otlp(store, recording, (flow.flow_id,))
        test.write_text(
            _TEST.format(
                code=code, flow=flow.flow_id, name=name, recording=recording.name,
                expectations=list(expected), expected=" and ".join(expected).replace('"""', "'"),
            ), "utf-8",
        )  # fmt: skip
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}") from None
    return Exported(
        form="pytest",
        files=[*exported.files, ExportedFile(path=test, table="tests", rows=1)],
        differing=exported.differing,
        changed_meanwhile=exported.changed_meanwhile,
    )
