"""Configuration is checked by name and type, and the redaction key stays away from the data."""

import stat
from pathlib import Path

import pytest

from ingest.own_rules import OwnRules
from ingest.pipeline import IngestSettings
from replay.settings import ReplaySettings
from retrospan.config import Settings, load, redaction_key
from retrospan.loading import ingest_settings
from store.errors import UsageError


def written(path: Path, text: str) -> Settings:
    path.write_text(text)
    return load(path)


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load(None) == Settings()
    assert load(None).fill("replay", ReplaySettings) == ReplaySettings()
    assert not list(tmp_path.iterdir())


def test_a_table_fills_the_settings_of_its_package(tmp_path: Path) -> None:
    settings = written(
        tmp_path / "c.toml",
        "[replay]\nfolds = 7\n[ingest]\nrecords_per_batch = 10\n[ingest.limits]\nline_bytes = 99\n",
    )
    assert settings.fill("replay", ReplaySettings).folds == 7
    ingest = settings.fill("ingest", IngestSettings, redaction_key=b"k" * 16)
    assert (ingest.records_per_batch, ingest.limits.line_bytes) == (10, 99)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[replay]\nfold = 7\n", "folds"),
        ("[replay]\nfolds = 'seven'\n", "int"),
        ("[replay]\nfolds = true\n", "int"),
        ("[ingest]\nredaction_key = 'x'\n", "redaction_key"),
        ("[ingest.limits]\nlines = 1\n", "line_bytes"),
    ],
)
def test_a_wrong_key_or_type_is_named_with_what_would_be_right(
    tmp_path: Path, text: str, hint: str
) -> None:
    settings = written(tmp_path / "c.toml", text)
    with pytest.raises(UsageError, match=hint):
        settings.fill("replay", ReplaySettings)
        settings.fill("ingest", IngestSettings, redaction_key=b"k" * 16)


@pytest.mark.parametrize("text", ["[nothing]\n", "replay = 3\n", "[replay\n", "\xff"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"c\.toml"):
        load(path)


def test_the_key_is_made_once_private_and_in_the_users_own_folder(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "home")}
    key = redaction_key(environment)
    path = tmp_path / "home" / "retrospan" / "redaction.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["redaction.key"]
    assert redaction_key(environment) == key == path.read_bytes()
    assert len(key) == 32


def test_a_key_from_the_environment_writes_no_file(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "RETROSPAN_REDACTION_KEY": "sixteen bytes ok"}
    assert redaction_key(environment) == b"sixteen bytes ok"
    assert not (tmp_path / "retrospan").exists()


def test_a_key_that_is_short_or_open_to_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="16"):
        redaction_key({"RETROSPAN_REDACTION_KEY": "short"})
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    redaction_key(environment)
    (tmp_path / "retrospan" / "redaction.key").chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        redaction_key(environment)


OWN = """
[aliases]
"retrospan.saga.resource" = ["acme.order.ref", "order_ref"]
retrospan.flow.id = "acme.order"
[redaction]
names = ["acme.phone"]
patterns.customer = 'CUST-[0-9]{6}'
"""


def test_own_names_and_rules_reach_ingest(tmp_path: Path) -> None:
    found = ingest_settings(written(tmp_path / "c.toml", OWN), None, b"k" * 16)
    assert found.aliases.names == {
        "retrospan.saga.resource": ("acme.order.ref", "order_ref"),
        "retrospan.flow.id": ("acme.order",),
    }
    assert found.own_rules == OwnRules(
        names=("acme.phone",), patterns={"customer": "CUST-[0-9]{6}"}
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[aliases]\n'retrospan.saga.resorce' = 'x'\n", r"retrospan\.saga\.resource"),
        ("[aliases]\n'http.route' = 3\n", "text or a list"),
        ("[aliases]\n'http.route' = []\n", "needs 1 to"),
        ("[redaction]\nname = ['x']\n", "names"),
        ("[redaction]\npatterns.x = '(a|bb)+c'\n", "patterns.x"),
    ],
)
def test_a_slip_in_own_names_or_rules_is_told(tmp_path: Path, text: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        ingest_settings(written(tmp_path / "c.toml", text), None, b"k" * 16)
