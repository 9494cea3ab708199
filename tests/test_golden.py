"""The demo's answers, word for word: what a change of our code does to them is read in review.

`make golden` rewrites the file. It proves that the answers are as they were, not that they are
right: the samples' `expected.toml` does that.
"""

import os
from pathlib import Path

import pytest

from retrospan.cli import run

GOLDEN = Path(__file__).parent / "golden" / "payment-brownout.txt"
REWRITE = os.environ.get("RETROSPAN_GOLDEN") == "rewrite"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints on standard output."""
    run(arguments)
    return capsys.readouterr().out


def test_the_golden_answers_of_the_demo_are_as_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    demo = said(capsys, "-q", "demo", "--out", str(out)).replace(str(out), "OUT")
    db = ("--db", str(out / "retrospan.duckdb"))
    parts = [
        demo,
        said(capsys, *db, "flows", "show", "order-000203"),
        said(capsys, *db, "flows", "show", "order-000355"),
        said(capsys, *db, "replay", "programs"),
        *(
            line + "\n"
            for line in (out / "post-mortem.md").read_text().splitlines()
            if line.startswith(("Digest of all replay digests", "Claim class"))
        ),
    ]
    text = "\n".join(parts)
    if REWRITE:
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
