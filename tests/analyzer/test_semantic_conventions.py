"""Every previous spelling is one OpenTelemetry itself replaced by the stable one.

The oracle is the installed `opentelemetry.semconv` package (registry 1.44.0): a constant holds each
name, and the deprecation note of a previous one names its successor.
"""

import ast
import importlib
import pkgutil
import re
from functools import cache

import opentelemetry.semconv._incubating.attributes as incubating
import opentelemetry.semconv.attributes as stable
import pytest
from opentelemetry.semconv.schemas import Schemas

from analyzer import conventions

REGISTRY = "https://opentelemetry.io/schemas/1.44.0"
PAIRS = [
    (current, previous)
    for current, *rest in (
        conventions.HTTP_METHOD,
        conventions.HTTP_STATUS,
        conventions.PEER,
        conventions.ADDRESS,
        conventions.PORT,
        conventions.RPC_STATUS,
        conventions.DB_SYSTEM,
        conventions.DB_OPERATION,
        conventions.MESSAGING_DESTINATION,
        conventions.MESSAGING_OPERATION[1:],  # the name is new; the type was split off before it
        conventions.MESSAGE_ID,
    )
    for previous in rest
]
ALONE = [
    *conventions.RPC_METHOD,
    *conventions.MESSAGING_SYSTEM,
    *conventions.ERROR_TYPE,
    *conventions.EXCEPTION_TYPE,
    *conventions.EXCEPTION_MESSAGE,
    *conventions.URL_TEMPLATE,  # a route is the server's own word for it, not a former spelling
    conventions.MESSAGING_OPERATION[0],
    conventions.RESEND_COUNT,
]
# The package begins after registry 1.17.0, whose schema file renames these two.
SCHEMA_1_17_0 = {
    "messaging.destination": "messaging.destination.name",
    "messaging.message_id": "messaging.message.id",
}


@cache
def names() -> dict[str, str]:
    """Every attribute name with the note under its constant."""
    found: dict[str, str] = {}
    for package in (incubating, stable):
        for module in pkgutil.iter_modules(package.__path__):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            assert loaded.__file__ is not None
            with open(loaded.__file__) as source:  # noqa: PTH123
                body = ast.parse(source.read()).body
            for node, after in zip(body, [*body[1:], None], strict=True):
                if not isinstance(node, ast.AnnAssign) or not isinstance(node.value, ast.Constant):
                    continue
                note = ""
                if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                    note = str(after.value.value)
                found[str(node.value.value)] = note or found.get(str(node.value.value), "")
    return found


def test_the_installed_registry_is_the_one_these_pairs_were_read_from() -> None:
    assert Schemas.V1_44_0.value == REGISTRY


@pytest.mark.parametrize(("current", "previous"), PAIRS)
def test_a_previous_spelling_was_replaced_by_the_stable_one(current: str, previous: str) -> None:
    assert current in names()
    if previous in SCHEMA_1_17_0:
        assert previous not in names()
        assert SCHEMA_1_17_0[previous] == current
    else:
        assert re.search(rf"Deprecated: .*`{re.escape(current)}`", names()[previous])


@pytest.mark.parametrize("name", ALONE)
def test_a_name_without_a_previous_spelling_is_in_the_registry(name: str) -> None:
    assert name in names()
