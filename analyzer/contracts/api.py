"""The operations an OpenAPI file documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from analyzer.contracts.file import load_file
from analyzer.contracts.references import Place, root
from store.errors import DataError
from store.model import JsonValue

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
OPERATIONS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter; `schema` is where its schema stands, None when it has none."""

    name: str
    location: str
    required: bool
    schema: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request or response body: the schemas by media type, None for a type without one."""

    place: Place
    content: Mapping[str, Place | None]
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. `responses` has the keys as written: `201`, `2XX`, `default`."""

    method: str
    template: str
    place: Place
    deprecated: bool
    sunset: str | None
    parameters: Sequence[Parameter]
    request: Body | None
    responses: Mapping[str, Body]

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    def response(self, status: int) -> Body | None:
        """The response that documents a status: the status itself, its range, then `default`."""
        for key in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if key in self.responses:
                return self.responses[key]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One OpenAPI file. `bases` are the paths its servers put before every template."""

    source: str
    version: str
    is_30: bool
    bases: Sequence[str]
    operations: Sequence[Operation] = field(default_factory=tuple)


def load_api(path: Path, shown: str | None = None) -> Api:
    """The API of a file; `shown` names it in results and errors."""
    return api_of(load_file(path), shown or str(path))


def api_of(document: dict[str, JsonValue], source: str) -> Api:
    """The API of a document; DataError names the file, the place and the reason."""
    whole = root(document, source)
    written = document.get("openapi")
    if not isinstance(written, str) or not written.startswith(("3.0", "3.1")):
        said = "swagger 2" if "swagger" in document else f"openapi: {written!r:.40}"
        raise DataError(f"{source}: #/openapi: only OpenAPI 3.0 and 3.1 are read, this is {said}")
    operations = [
        _operation(method, template, item, entry)
        for template, path_item in whole.at("paths").entries()
        for item in [path_item.followed()]
        for method, entry in item.entries()
        if method in METHODS
    ]
    if len(operations) > OPERATIONS_MAX:
        raise DataError(f"{source}: #/paths: more than {OPERATIONS_MAX:,} operations")
    info = whole.at("info")
    version = info.at("version").value if isinstance(info.value, dict) else None
    return Api(
        source=source,
        version=version if isinstance(version, str) else "",
        is_30=written.startswith("3.0"),
        bases=_bases(whole.at("servers")),
        operations=tuple(sorted(operations, key=lambda one: (one.template, one.method))),
    )


def _bases(servers: Place) -> tuple[str, ...]:
    bases = {""}
    for server in servers.items():
        url = server.at("url").value
        if isinstance(url, str) and "{" not in url:
            try:
                bases.add(urlsplit(url).path.rstrip("/"))
            except ValueError as error:
                raise server.fault(f"url {url!r:.80} is none: {error}") from error
    return tuple(sorted(bases, key=lambda base: (-len(base), base)))


def _operation(method: str, template: str, item: Place, place: Place) -> Operation:
    if not isinstance(place.value, dict):
        raise place.fault("an operation must be a map")
    if not template.startswith("/"):
        raise item.fault("a path begins with a slash")
    parameters = {
        (one.name, one.location): one
        for listed in (item.at("parameters"), place.at("parameters"))
        for one in map(_parameter, listed.items())
    }
    request = place.at("requestBody")
    sunset = place.at("x-sunset").value
    return Operation(
        method=method.upper(),
        template=template,
        place=place,
        deprecated=place.at("deprecated").value is True,
        sunset=sunset if isinstance(sunset, str) else None,
        parameters=tuple(parameters[key] for key in sorted(parameters)),
        request=None if request.value is None else _body(request.followed()),
        responses={
            key: _body(response.followed()) for key, response in place.at("responses").entries()
        },
    )


def _parameter(listed: Place) -> Parameter:
    place = listed.followed()
    name, location = place.at("name").value, place.at("in").value
    if not isinstance(name, str) or not isinstance(location, str):
        raise place.fault("a parameter has a name and an `in`, both text")
    schema = place.at("schema")
    return Parameter(
        name=name,
        location=location,
        required=place.at("required").value is True,
        schema=None if schema.value is None else schema,
    )


def _body(place: Place) -> Body:
    content = {
        media.strip().lower(): None if entry.at("schema").value is None else entry.at("schema")
        for media, entry in place.at("content").entries()
    }
    return Body(place=place, content=content, required=place.at("required").value is True)
