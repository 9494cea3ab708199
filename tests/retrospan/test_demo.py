"""The demo goes the whole way on the sample, and the same way twice."""

import re
from pathlib import Path

from retrospan import samples
from tests.retrospan.conftest import Command


def test_the_demo_writes_a_report_that_verifies_and_names_what_a_person_must_do(
    command: Command, tmp_path: Path
) -> None:
    """Two runs in two folders: the reports are the same bytes. It proves no numbers; the sample's
    own test holds those to the services' books."""
    out = tmp_path / "demo"
    said = command("demo", "--out", out)
    assert said.code == 0, said.err
    sentences = said.out.split("\n\n")[0].splitlines()
    assert len(sentences) == 5
    assert "sagas broke a rule" in sentences[0]
    assert "never undone" in sentences[1] and "EUR" in sentences[1]
    assert "came out as recorded" in sentences[2] and "can be judged" in sentences[2]
    assert sentences[3].startswith("Confirmed by replay as a cause: service gateway-eu")
    recomputed = re.fullmatch(
        r"Recomputed from the store: (\d+) of (\d+) sentences and tables say the same; 0 drifted\.",
        sentences[4],
    )
    assert recomputed is not None and recomputed[1] == recomputed[2]
    assert "dashboard" in said.out
    assert " s  " in said.err
    db = out / "retrospan.duckdb"
    for name in ("post-mortem.md", "post-mortem.html"):
        verified = command("report", "verify", out / name, "--db", db)
        assert verified.code == 0, verified.out
    assert command("-q", "demo", "--out", tmp_path / "again").err == ""
    for name in ("post-mortem.md", "post-mortem.html"):
        assert (out / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert not (tmp_path / "config").exists()


def test_an_unknown_sample_lists_those_that_are_there(command: Command) -> None:
    said = command("demo", "--sample", "../services")
    assert said.code == 4
    assert all(name in said.err for name in samples.names())
