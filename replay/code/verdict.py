"""How a run of the code differs from the recording: typed divergences, the first one first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from replay.code.activities import RUN
from replay.code.answering import Answering
from replay.code.asked import Asked
from replay.code.differences import arguments, is_noise
from replay.code.recorded import timed_out
from replay.code.transitions import END
from replay.exchange import Exchange
from replay.leaves import flatten, same
from store.conclusions import Divergence
from store.model import JsonValue

DIVERGENCES_MAX = 200
GAVE_UP = ("timeout", "closed", "unanswered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A divergence and the moment of the recording it belongs to; `noise` says it may be none."""

    at_ns: int
    order: int
    divergence: Divergence
    noise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All divergences, first one first, and the verdict they add up to."""

    verdict: str
    divergences: tuple[Divergence, ...]


def judge(answering: Answering, end: Mapping[str, Any]) -> Judged:
    """Compare a finished run with the recording it was answered from."""
    unread = list(answering.recorded.requests.unread(answering.session))
    meant = _meant(answering.asked, unread)
    placed = [
        *_calls(answering, meant),
        *_missing(answering, unread),
        *_order(answering),
        *_end(answering, end),
    ]
    placed.sort(key=lambda it: (it.at_ns, it.order))
    if not placed:
        verdict = "identical"
    else:
        verdict = "equivalent" if all(it.noise for it in placed) else "diverged"
    return Judged(verdict=verdict, divergences=tuple(_follow(placed[:DIVERGENCES_MAX])))


def _follow(placed: Sequence[Placed]) -> Iterator[Divergence]:
    """Name what a later divergence follows from, where it is plain: the same step, or its end."""
    seen: dict[str, bool] = {}
    last = ""
    for it in placed:
        step = it.divergence.step_id
        source = step if step in seen else last if step == END else ""
        seen[step] = True
        last = step
        yield replace(it.divergence, source=source)


def _meant(asked: Sequence[Asked], unread: list[Exchange]) -> dict[int, Exchange]:
    """Requests too different to be answered, and the unread one of their operation that each has
    the place of, by number; what is taken here is taken out of `unread`."""
    meant: dict[int, Exchange] = {}
    for order, it in enumerate(asked):
        if it.exchange is None:
            wanted = (it.request.callee, it.request.method, it.request.path)
            same_op = [e for e in unread if (e.callee, e.method, e.path) == wanted]
            if same_op:
                meant[order] = same_op[0]
                unread.remove(same_op[0])
    return meant


def _calls(answering: Answering, meant: Mapping[int, Exchange]) -> Iterator[Placed]:
    for order, asked in enumerate(answering.asked):
        if order in meant:
            yield from _unlike(answering, asked, meant[order], order)
            continue
        if asked.exchange is None:
            if asked.match.rung not in ("telemetry", "ran"):
                yield _extra(asked, order)
            continue
        for divergence, noise in _of_call(answering, asked, asked.exchange):
            at_ns = asked.exchange.start_ns
            yield Placed(at_ns=at_ns, order=order, divergence=divergence, noise=noise)


def _unlike(answering: Answering, asked: Asked, exchange: Exchange, order: int) -> Iterator[Placed]:
    def placed(kind: str, path: str, old: JsonValue, new: JsonValue) -> Placed:
        divergence = Divergence(
            kind=kind, step_id=exchange.step_id, recorded=old, replayed=new, path=path,
            line=asked.where,
        )  # fmt: skip
        return Placed(at_ns=exchange.start_ns, order=order, divergence=divergence)

    said = answering.recorded.requests.recorded(exchange)
    for path, old, new in arguments(asked, exchange, said):
        if not is_noise(path, old, new, answering.settings.noise):
            yield placed("args_changed", path, old, new)
    attempt = answering.recorded.attempts[exchange.span_id]
    yield placed("answer_rung_lowered", "status", attempt.status, "no recorded answer")


def _extra(asked: Asked, order: int) -> Placed:
    request = asked.request
    near = asked.match.near[0] if asked.match.near else None
    replayed: dict[str, JsonValue] = {
        "op": f"{request.callee} {request.method} {request.path}",
        "key": request.headers.get("idempotency-key", ""),
        "attempt": 1,
        "status": "no recorded answer",
        "nearest": None if near is None else near.label,
    }
    divergence = Divergence(
        kind="extra_call", step_id="", recorded=None, replayed=replayed, line=asked.where
    )
    return Placed(at_ns=asked.mapped_ns, order=order, divergence=divergence)


def _of_call(
    answering: Answering, asked: Asked, exchange: Exchange
) -> Iterator[tuple[Divergence, bool]]:
    said = answering.recorded.requests.recorded(exchange)
    only_noise = True
    for path, old, new in arguments(asked, exchange, said):
        noise = is_noise(path, old, new, answering.settings.noise)
        only_noise = only_noise and noise
        yield _at(asked, "args_changed", path, old, new), noise
    if asked.match.rung == "structural":
        # The most similar request was meant; an unchanged one is found as it is.
        yield _at(asked, "answer_rung_lowered", "", "exact", asked.match.rung), only_noise
    recorded, replayed = _ended(exchange), asked.how or "unanswered"
    gave_up = replayed in GAVE_UP
    if recorded != replayed and not (gave_up and recorded == "timeout") and replayed != "unread":
        kind = "exception_changed" if gave_up else "result_changed"
        old = str(exchange.status) if recorded == "answer" else exchange.error
        new = str(exchange.status) if replayed == "answer" else replayed
        yield _at(asked, kind, "status", old, new), False
    yield from _times(answering, asked, exchange)


def _times(
    answering: Answering, asked: Asked, exchange: Exchange
) -> Iterator[tuple[Divergence, bool]]:
    settings, gap_ns = answering.settings, asked.gap_ns
    late = gap_ns > settings.gap_max_ns and not asked.own_time
    if late or gap_ns < -settings.early_max_ns:
        held_up = late and gap_ns - answering.late_ns(asked) <= settings.gap_max_ns
        old, new = exchange.start_ns, asked.mapped_ns
        yield _at(asked, "timing_changed", "start_ns", old, new), held_up
    if asked.ended_ns is not None and _ended(exchange) == "timeout":
        waited = asked.ended_ns - asked.sent_ns
        recorded = answering.recorded.end_ns(exchange) - exchange.start_ns
        left_ns = recorded - waited - answering.overdue_ns(asked)
        if not -settings.early_max_ns <= left_ns <= settings.gap_max_ns:
            old, new = exchange.start_ns + recorded, exchange.start_ns + waited
            yield _at(asked, "timing_changed", "end_ns", old, new), False


def _ended(exchange: Exchange) -> str:
    if exchange.error is None:
        return "answer"
    gave_up = exchange.method != RUN and timed_out(exchange.error)
    return "timeout" if gave_up else "error"


def _at(asked: Asked, kind: str, path: str, old: JsonValue, new: JsonValue) -> Divergence:
    assert asked.exchange is not None
    return Divergence(
        kind=kind,
        step_id=asked.exchange.step_id,
        recorded=old,
        replayed=new,
        path=path,
        line=asked.where,
    )


def _missing(answering: Answering, unread: Sequence[Exchange]) -> Iterator[Placed]:
    for exchange in unread:
        attempt = answering.recorded.attempts[exchange.span_id]
        said: dict[str, JsonValue] = {
            "op": exchange.op,
            "key": exchange.key,
            "attempt": 1,
            "status": attempt.status,
        }
        yield Placed(
            at_ns=exchange.start_ns,
            order=-1,
            divergence=Divergence(
                kind="missing_call", step_id=exchange.step_id, recorded=said, replayed=None
            ),
        )


def _order(answering: Answering) -> Iterator[Placed]:
    """A call that came after another, or beside it, and no longer does."""
    known = [(it, it.exchange) for it in answering.asked if it.exchange is not None]
    tolerance = answering.settings.early_max_ns
    for order, (asked, exchange) in enumerate(known):
        for other, theirs in known:
            if other is asked or other.ended_ns is None:
                continue
            their_end = answering.recorded.end_ns(theirs)
            after = other.ended_ns <= asked.at_ns
            recorded_after = their_end <= exchange.start_ns
            if after and exchange.start_ns < their_end - tolerance:
                turned = answering.recorded.end_ns(exchange) <= theirs.start_ns
                kind = "reordered" if turned else "concurrency_changed"
                said = f"before the end of {theirs.op}", f"after {theirs.op}"
            elif recorded_after and not after and _beside(answering, asked, other):
                kind, said = "concurrency_changed", (f"after {theirs.op}", f"beside {theirs.op}")
            else:
                continue
            divergence = _at(asked, kind, "", *said)
            yield Placed(at_ns=exchange.start_ns, order=order, divergence=divergence)
            break


def _beside(answering: Answering, asked: Asked, other: Asked) -> bool:
    """Whether a call is made while another one runs, which no slow start of a thread explains."""
    if not other.at_ns <= asked.at_ns or asked.exchange is None or other.exchange is None:
        return False
    if other.ended_ns is not None and other.ended_ns <= asked.at_ns:
        return False
    start_apart = asked.exchange.start_ns - other.exchange.start_ns
    return start_apart - (asked.at_ns - other.at_ns) > answering.settings.apart_max_ns


def _end(answering: Answering, end: Mapping[str, Any]) -> Iterator[Placed]:
    flow, recorded = answering.recorded.flow, flatten(answering.recorded.flow.output)
    duration = 0 if flow.end_ns is None else flow.end_ns - flow.start_ns
    at_ns = max([duration, *(it.mapped_ns for it in answering.asked)])

    def placed(divergence: Divergence, order: int, noise: bool = False) -> Placed:
        return Placed(at_ns=at_ns, order=order, divergence=divergence, noise=noise)

    error = end.get("error")
    if error is not None:
        yield placed(
            Divergence(
                kind="exception_changed", step_id=END, recorded=flow.outcome.value,
                replayed=error["message"], path="exception", line=error["where"],
            ), 10**9,
        )  # fmt: skip
        return
    if flow.output is not None:
        output = flatten(end.get("output"))
        for path in sorted({*recorded, *output}):
            old, new = recorded.get(path), output.get(path)
            if path not in recorded or path not in output or not same(old, new):
                noise = is_noise(f"output.{path}", old, new, answering.settings.noise)
                divergence = Divergence(
                    kind="result_changed", step_id=END, recorded=old, replayed=new,
                    path=f"output.{path}",
                )  # fmt: skip
                yield placed(divergence, 10**9 + 1, noise)
    ended_ns = answering.mapped(int(end["at_ns"]))
    settings = answering.settings
    left_ns = duration - ended_ns
    if left_ns > settings.gap_max_ns and answering.own_time(duration):
        return
    if not -settings.early_max_ns <= left_ns <= settings.gap_max_ns:
        late = left_ns > 0 and answering.late_end_ns(int(end["at_ns"]), duration)
        excused = bool(late) and left_ns - late <= settings.gap_max_ns
        divergence = Divergence(
            kind="timing_changed", step_id=END, recorded=duration, replayed=ended_ns, path="end_ns"
        )
        yield placed(divergence, 10**9 + 2, excused)
