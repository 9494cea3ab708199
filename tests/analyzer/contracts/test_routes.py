"""Which documented path a recorded route or path is."""

import pytest

from analyzer.contracts.api import api_of
from analyzer.contracts.routes import Routes, is_wildcard

DOCUMENT = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://shop.example/v1"}],
    "paths": {
        "/orders": {"get": {}},
        "/orders/{id}": {"get": {}, "delete": {}},
        "/orders/latest": {"get": {}},
        "/files/{name}.{ending}": {"get": {}},
    },
}
ROUTES = Routes([api_of(DOCUMENT, "api")])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/orders", "/orders"),
        ("/orders/", "/orders"),
        ("/orders/7", "/orders/{id}"),
        ("/orders/{order_id}", "/orders/{id}"),
        ("/orders/:id", "/orders/{id}"),
        ("/orders/<int:id>", "/orders/{id}"),
        ("/orders/latest", "/orders/latest"),
        ("/v1/orders/7", "/orders/{id}"),
        ("/files/report.pdf", "/files/{name}.{ending}"),
        ("/files/report", None),
        ("/orders/7/items", None),
        ("/v2/orders", None),
        ("/", None),
    ],
)
def test_a_path_finds_its_template(path: str, template: str | None) -> None:
    found = ROUTES.find(path)
    assert (found and found["GET"][0].template) == template


def test_routes_of_whole_trees_are_known() -> None:
    assert is_wildcard("/api/*") and is_wildcard("/{*rest}") and is_wildcard("/{path:.*}")
    assert not is_wildcard("/api/{id}")
