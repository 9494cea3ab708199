"""A recorded payment as a test: it fails on the code as it was, and passes on the fixed one."""

import os
from pathlib import Path

import pytest

from retrospan.cli import run as retrospan
from tests.replay.code.commands import ENTRY, FLOW, run

EXPECTED = 'keys["gateway-eu POST /charges"] <= 1'


def test_the_exported_test_fails_before_the_fix_and_passes_after(db: Path, tmp_path: Path) -> None:
    for function, code in (("recorded", 1), ("stable_key", 0)):
        folder = tmp_path / function
        asked = ["--db", str(db), "export", "pytest", FLOW, "-o", str(folder)]
        asked += ["--code", f"{ENTRY}:{function}", "--expect", EXPECTED]
        assert retrospan(asked) == 0
        assert sorted(it.name for it in folder.iterdir()) == [
            "order_000210.jsonl.gz",
            "test_order_000210.py",
        ]
        tested = run(
            tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir",
            folder, folder,
        )  # fmt: skip
        assert tested.returncode == code, tested.stdout
        if code:
            assert f"expected {FLOW}: {EXPECTED}: not met" in tested.stdout


@pytest.mark.parametrize(
    ("expected", "told"), [("keyes.size() > 0", "did you mean keys"), ("1 +", "is no CEL")]
)
def test_what_nobody_expects_or_cannot_be_read_is_refused(
    db: Path, capsys: pytest.CaptureFixture[str], expected: str, told: str
) -> None:
    asked = ["--db", str(db), "replay", "run", FLOW, "--code", f"{ENTRY}:recorded"]
    assert retrospan([*asked, "--expect", expected]) == 2
    assert told in capsys.readouterr().err
