"""Which documented path a recorded route or path is."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from analyzer.contracts.api import Api, Operation

_PARAMETER = re.compile(r"\{[^}]*\}|<[^>]*>|:[A-Za-z_]\w*")
_WILDCARD = re.compile(r"\*|\{\*[^}]*\}|\{[^}]*:\s*\.\*\}")
PARAMETER: Final = "{}"


def is_wildcard(route: str) -> bool:
    """Whether a recorded route stands for a whole tree of paths."""
    return bool(_WILDCARD.search(route))


def normal(template: str) -> str:
    """The template without the names of its parameters, which make no difference."""
    return _PARAMETER.sub(PARAMETER, template)


class Routes:
    """The operations of one or more files of a service, to be found by path."""

    def __init__(self, apis: Iterable[Api]) -> None:
        self._templates: dict[tuple[str, ...], dict[str, list[Operation]]] = {}
        self._bases: dict[str, None] = {}
        for api in apis:
            self._bases |= dict.fromkeys(api.bases)
            for operation in api.operations:
                by_method = self._templates.setdefault(_segments(operation.template), {})
                by_method.setdefault(operation.method, []).append(operation)
        self._order = sorted(self._templates, key=_concrete_first)

    def find(self, path: str) -> Mapping[str, Sequence[Operation]] | None:
        """The operations by method of the path or route; None when no file has it.

        Concrete paths go before templated ones, as OpenAPI 3 says under Paths Object.
        """
        for base in sorted(self._bases, key=lambda it: (-len(it), it)):
            if base and not (path == base or path.startswith(base + "/")):
                continue
            segments = _segments(path[len(base) :])
            if segments in self._templates:
                return self._templates[segments]
            for template in self._order:
                if _fits(template, segments):
                    return self._templates[template]
        return None


def _segments(path: str) -> tuple[str, ...]:
    return tuple(map(normal, path.strip("/").split("/")))


def _concrete_first(template: tuple[str, ...]) -> tuple[int, tuple[tuple[bool, str], ...]]:
    return len(template), tuple((PARAMETER in part, part) for part in template)


def _fits(template: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    return len(template) == len(segments) and all(
        written == part or (PARAMETER in written and _part_fits(written, part))
        for written, part in zip(template, segments, strict=True)
    )


def _part_fits(written: str, part: str) -> bool:
    """`report-{}.{}` against `report-7.pdf`: the fixed texts in their order, something between."""
    fixed = written.split(PARAMETER)
    if not part.startswith(fixed[0]):
        return False
    at = len(fixed[0])
    for index, text in enumerate(fixed[1:], 1):
        last = index == len(fixed) - 1
        found = len(part) - len(text) if last else part.find(text, at + 1)
        if found < at + 1 or not part.startswith(text, found):
            return False
        at = found + len(text)
    return True
