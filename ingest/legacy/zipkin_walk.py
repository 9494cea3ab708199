"""The way through a Zipkin document of either version."""

from collections.abc import Callable, Iterator

from ingest.ids import BadIdError
from ingest.legacy.walking import Aside, elements, refusal
from ingest.legacy.zipkin import Half, spans_of
from ingest.limits import Limits
from ingest.otlp.values import Decoding, Object, UnreadableError
from ingest.reader import Item
from store.model import Rejected

HalvesOf = Callable[[Object, Decoding, Aside], list[Half]]


class ZipkinWalker:
    """Walks documents: a span, an array of spans, an array of traces."""

    def __init__(self, limits: Limits, halves_of: HalvesOf) -> None:
        self._decoding = Decoding(limits)
        self._halves_of = halves_of

    def walk(self, value: object, place: str) -> Iterator[Item]:
        """Every span of one document; a shared id is resolved among the spans of one array."""
        found: list[Half | Rejected] = []
        for where, item in elements(value, place):
            if isinstance(item, list):
                yield from self.walk(item, where)
            else:
                found.extend(self._halves(item, where))
        yield from spans_of(found)

    def _halves(self, raw: object, place: str) -> Iterator[Half | Rejected]:
        if not isinstance(raw, dict):
            yield refusal(raw, place, "Zipkin span")
            return
        asides: list[Rejected] = []
        self._decoding.cut = 0
        try:
            halves = self._halves_of(
                raw,
                self._decoding,
                lambda where, reason: asides.append(
                    Rejected(record=f"{place}.{where}", reason=reason)
                ),
            )
            halves[0].cut = self._decoding.cut
            yield from halves
        except (UnreadableError, BadIdError) as error:
            yield Rejected(record=place, reason=str(error))
        yield from asides
