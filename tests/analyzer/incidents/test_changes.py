"""Changes and measurements of files are read strictly: what does not fit is named."""

from pathlib import Path

import pytest

from analyzer.incidents.changes import read_changes, read_measurements
from store.errors import DataError

LINE = '{"at": "2026-01-01T00:00:01.5Z", "kind": "deploy", "service": "shop", "name": "v2"}'


def test_a_list_and_lines_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f"[{LINE}]")
    (tmp_path / "b.jsonl").write_text(f"{LINE}\n\n")
    (change,) = read_changes(tmp_path / "a.json")
    assert read_changes(tmp_path / "b.jsonl") == [change]
    assert change.at_ns == 1_767_225_601_500_000_000
    assert (change.kind, change.service, change.name, change.text) == ("deploy", "shop", "v2", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "neither a JSON list nor JSON lines"),
        ("[1]", "change 1 is no object"),
        ('[{"at": "2026-01-01T00:00:00Z", "kind": "deploy"}]', "'name' must be a text"),
        (LINE.replace(".5Z", ""), "no RFC 3339 time with a zone"),
        (LINE.replace("name", "nmae"), "'nmae'"),
        (LINE.replace('"v2"', "2"), "'name' must be a text"),
        ("[" * 100_000, "neither a JSON list nor JSON lines"),
    ],
)
def test_a_change_that_does_not_fit_is_an_error_that_names_it(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "changes.json"
    path.write_text(text)
    with pytest.raises(DataError, match=said) as raised:
        read_changes(path)
    assert str(path) in str(raised.value)


def test_measurements_come_from_columns_by_name(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("service,metric,value,timestamp\nshop,cpu,0.5,2026-01-01T00:00:00Z\n")
    (one,) = read_measurements(path)
    assert one == (1_767_225_600_000_000_000, "shop", "cpu", 0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "has the columns"),
        ("timestamp,service,metric,value\n2026-01-01T00:00:00Z,s,m,x\n", "line 2: 'x' is no num"),
        ("timestamp,service,metric,value\nnever,s,m,1\n", "line 2: 'never' is no RFC 3339"),
    ],
)
def test_a_metrics_file_that_does_not_fit_names_the_line(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_measurements(path)
