"""Clocks on virtual time: the wall clock begins where the recorded flow did."""

from __future__ import annotations

import datetime
import time
from typing import Any

from .world import WORLD

_real_datetime = datetime.datetime
_real_date = datetime.date
_EPOCH = _real_datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_localtime, _gmtime, _strftime, _ctime = time.localtime, time.gmtime, time.strftime, time.ctime


def wall_ns() -> int:
    """Nanoseconds since 1970."""
    return WORLD.epoch_ns + WORLD.now_ns


def _wall() -> float:
    return wall_ns() / 1e9


def _monotonic_ns() -> int:
    return WORLD.now_ns


def _monotonic() -> float:
    return WORLD.now_ns / 1e9


def _sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    WORLD.sleep(round(seconds * 1e9))


class _Same(type):
    """Whatever is a real moment is one of these as well."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.__mro__[1])

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, cls.__mro__[1])


class VirtualDatetime(_real_datetime, metaclass=_Same):
    """`datetime.datetime` whose now is virtual."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        moment = _EPOCH + datetime.timedelta(microseconds=wall_ns() // 1000)
        if tz is None:
            local = moment.astimezone()
            return _as(cls, local.replace(tzinfo=None))
        return _as(cls, moment.astimezone(tz))

    @classmethod
    def today(cls) -> Any:
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(datetime.timezone.utc).replace(tzinfo=None)


class VirtualDate(_real_date, metaclass=_Same):
    """`datetime.date` whose today is virtual."""

    @classmethod
    def today(cls) -> Any:
        now = VirtualDatetime.now()
        return cls(now.year, now.month, now.day)


def _as(kind: Any, moment: datetime.datetime) -> Any:
    return kind(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second,
        moment.microsecond, moment.tzinfo, fold=moment.fold,
    )  # fmt: skip


def install() -> None:
    """Put virtual clocks in place."""
    clocks: Any = time
    clocks.time, clocks.time_ns, clocks.sleep = _wall, wall_ns, _sleep
    clocks.monotonic, clocks.monotonic_ns = _monotonic, _monotonic_ns
    clocks.perf_counter, clocks.perf_counter_ns = _monotonic, _monotonic_ns
    clocks.localtime = lambda seconds=None: _localtime(_wall() if seconds is None else seconds)
    clocks.gmtime = lambda seconds=None: _gmtime(_wall() if seconds is None else seconds)
    clocks.ctime = lambda seconds=None: _ctime(_wall() if seconds is None else seconds)
    clocks.strftime = lambda form, moment=None: _strftime(form, moment or clocks.localtime())
    for virtual, name in ((VirtualDatetime, "datetime"), (VirtualDate, "date")):
        virtual.__name__ = virtual.__qualname__ = name
        virtual.__module__ = "datetime"
        setattr(datetime, name, virtual)
