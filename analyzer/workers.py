"""Conclusions drawn by several processes, in slices, put together in the order of the flows.

What is handed over is what was recorded of the flows, as plain tuples: records pickle slowly. A
process keeps nothing between slices, so memory depends on the slice and not on the load.
"""

import atexit
import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import fields, replace
from multiprocessing import get_context
from operator import attrgetter
from typing import Any

from analyzer.assign import FlowRows
from analyzer.conclude import Concluded, conclude
from analyzer.sagas import Coverage
from analyzer.settings import RebuildSettings
from store.derived_tables import together
from store.errors import StoreError
from store.model import Span

FLOWS_PER_SLICE = 250
_SPAN_FIELDS = tuple(entry.name for entry in fields(Span))
_span_values = attrgetter(*_SPAN_FIELDS)

Concluding = Callable[[Sequence[FlowRows], Coverage, Callable[[int], None]], Concluded]
"""Concludes of flows; is told how many are done."""


@contextmanager
def concluding(settings: RebuildSettings, processes: int) -> Iterator[Concluding]:
    """A way to conclude, in this process or in so many others that end with the block."""
    if processes <= 1:
        yield _Here(settings)
        return
    pool = ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_begin, initargs=(settings,)
    )
    try:
        yield _There(pool)
    except BrokenProcessPool as error:
        raise StoreError(
            "a process that derived flows ended before its time; if memory ran out, load less at "
            "once or use one process"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


class _Here:
    def __init__(self, settings: RebuildSettings) -> None:
        self._settings = settings

    def __call__(
        self, rows: Sequence[FlowRows], coverage: Coverage, told: Callable[[int], None]
    ) -> Concluded:
        parts = []
        for first in range(0, max(len(rows), 1), FLOWS_PER_SLICE):
            part = rows[first : first + FLOWS_PER_SLICE]
            parts.append(conclude(part, self._settings, coverage))
            told(first + len(part))
        return _joined(parts)


class _There:
    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def __call__(
        self, rows: Sequence[FlowRows], coverage: Coverage, told: Callable[[int], None]
    ) -> Concluded:
        slices = [
            [_packed(one) for one in rows[first : first + FLOWS_PER_SLICE]]
            for first in range(0, max(len(rows), 1), FLOWS_PER_SLICE)
        ]
        parts, done = [], 0
        for part in self._pool.map(_conclude, slices, [coverage] * len(slices)):
            parts.append(part)
            done += len(part.flow_ids)
            told(done)
        return _joined(parts)


def _joined(parts: Sequence[Concluded]) -> Concluded:
    return Concluded(
        tables=together([part.tables for part in parts]),
        flow_ids=[flow_id for part in parts for flow_id in part.flow_ids],
        steps=sum(part.steps for part in parts),
        findings=sum(part.findings for part in parts),
    )


def _packed(rows: FlowRows) -> tuple[FlowRows, list[tuple[Any, ...]]]:
    return replace(rows, spans=()), [_span_values(span) for span in rows.spans]


def _unpacked(packed: tuple[FlowRows, list[tuple[Any, ...]]]) -> FlowRows:
    rows, spans = packed
    named = [dict(zip(_SPAN_FIELDS, values, strict=True)) for values in spans]
    return replace(rows, spans=[Span(**one) for one in named])


_settings: RebuildSettings | None = None


def _begin(settings: RebuildSettings) -> None:
    """In a new process: keep the settings; look for cycles between slices, in what a slice left.

    What was imported is left out of that until the end, when libraries count what is still there.
    """
    global _settings
    _settings = settings
    gc.disable()
    gc.freeze()
    atexit.register(gc.unfreeze)


def _conclude(
    packed: Sequence[tuple[FlowRows, list[tuple[Any, ...]]]], coverage: Coverage
) -> Concluded:
    assert _settings is not None
    concluded = conclude([_unpacked(one) for one in packed], _settings, coverage)
    gc.collect()
    return concluded
