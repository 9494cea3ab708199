"""OpenAPI files from strangers: what is read, and what is refused with its place."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.contracts.api import api_of, load_api
from analyzer.contracts.file import DEPTH_MAX, FILE_BYTES_MAX, load_file, parse
from store.errors import DataError
from store.model import JsonValue

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_json_comes_back_as_written(document: dict[str, JsonValue]) -> None:
    assert parse(json.dumps(document), "api") == document


@given(st.text(max_size=80))
def test_any_text_is_a_map_or_refused(text: str) -> None:
    try:
        assert isinstance(parse(text, "api"), dict)
    except DataError as error:
        assert str(error).startswith("api: ")


def test_yaml_is_read_by_the_rules_of_1_2() -> None:
    """`no` is a country, 200 a name of a response, a date is text."""
    text = "country: no\nday: 2026-03-04\n200: ok\nquoted: '1'\nnumber: 1.5\nnothing:\nhex: 0x10"
    assert parse(text, "api") == {
        "country": "no",
        "day": "2026-03-04",
        "200": "ok",
        "quoted": "1",
        "number": 1.5,
        "nothing": None,
        "hex": "0x10",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: {c: 1,\n  c: 2}", "api: line 3: the name 'c' stands twice"),
        ('{"a": 1, "a": 2}', "the name 'a' stands twice"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": \n}', "line 2: not JSON"),
        ("a: !!python/object/apply:os.system [x]", "line 1: the tag"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "line 3: merge keys"),
        ("a: *nowhere", "line 1: no value is called &nowhere"),
        ("a: &me [*me]", "no value is called &me"),
        ("a: [1\nb: 2", "line 2: not YAML"),
        ("- 1", "is a map"),
        ("a: 1\n---\nb: 2", "holds 2 documents"),
        ("? [a]\n: b", "cannot be a name"),
        ("a: " + "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), "nested deeper than 100"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "nested deeper than 100"),
        ('{"a": ' + "[" * 100_000, "nested deeper|not JSON"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        parse(text, "api")


def test_aliases_that_multiply_are_refused() -> None:
    """Ten anchors of ten aliases each are ten billion values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(DataError, match="aliases followed"):
        parse("\n".join(lines), "api")


def test_a_file_too_large_or_not_there_is_named(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    with pytest.raises(DataError, match=r"large\.yaml: larger than"):
        load_file(large)
    with pytest.raises(DataError, match=r"none\.yaml: No such file"):
        load_file(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"a: \xff")
    with pytest.raises(DataError, match="not UTF-8"):
        load_file(tmp_path / "bytes.yaml")


def api_with(paths: str, version: str = "3.1.0") -> str:
    return f"openapi: {version}\npaths:\n{paths}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("swagger: '2.0'", "this is swagger 2"),
        ("openapi: 4.0.0", "only OpenAPI 3.0 and 3.1"),
        (api_with("  /a:\n    $ref: other.yaml#/a"), "#/paths/~1a: .*leaves the file"),
        (api_with("  /a:\n    $ref: http://x/y"), "leaves the file"),
        (api_with("  /a:\n    $ref: ../../secret"), "leaves the file"),
        (api_with("  /a:\n    $ref: '#/nowhere'"), "leads nowhere"),
        (api_with("  /a:\n    $ref: '#/paths/~1b'\n  /b:\n    $ref: '#/paths/~1a'"), "circle"),
        (api_with("  /a:\n    get: 3"), "#/paths/~1a/get: an operation must be a map"),
        (api_with("  a:\n    get: {}"), "begins with a slash"),
        (api_with("  /a:\n    get: {parameters: [{name: 1}]}"), "parameters/0: a parameter has"),
        (api_with("  /a:\n    get: {responses: [1]}"), "responses: must be a map"),
    ],
)
def test_what_is_no_openapi_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        api_of(parse(text, "api"), "api")


@given(st.dictionaries(st.sampled_from(["paths", "info", "servers", "components"]), JSON))
def test_any_document_is_an_api_or_refused(document: dict[str, JsonValue]) -> None:
    try:
        assert api_of({"openapi": "3.1.0", **document}, "api").source == "api"
    except DataError as error:
        assert str(error).startswith("api: ")


def test_the_sample_contracts_are_read() -> None:
    folder = Path(__file__).parents[3] / "sample_traces" / "contracts"
    apis = [load_api(path) for path in sorted(folder.glob("*.yaml"))]
    assert [len(api.operations) for api in apis] == [4, 2, 1]
    assert [api.is_30 for api in apis] == [True, False, True]
