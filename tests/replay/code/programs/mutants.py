"""Changed payment orchestrators: each function differs from the recorded code in one thing.

A mutant says when a flow reached what was changed, so that a test can tell "not noticed" from
"made no difference".
"""

from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

from retrospan_child.world import WORLD

from sample_traces.services.calls import Caller, Result
from sample_traces.services.payment import operations as ops
from sample_traces.services.payment import payment as flow
from sample_traces.services.payment.replayed import recorded
from sample_traces.services.payment.saga import PaymentCompensator

Payment: Any = flow.Payment
Json = dict[str, Any]


def reached() -> None:
    WORLD.report("mutant", "reached")


def _with_body(operation: Any, change: Any) -> None:
    """Change the request of one operation."""
    original = Payment._call

    def call(self: Any, op: Any, body: Json, *rest: Any, **named: Any) -> Result:
        if op is operation:
            reached()
            body = change(dict(body))
        result: Result = original(self, op, body, *rest, **named)
        return result

    Payment._call = call


def unchanged(order: Json) -> Json:
    return recorded(order)


def value_changed(order: Json) -> Json:
    _with_body(ops.POST_LEDGER, lambda body: {**body, "amount": "1.00"})
    return recorded(order)


def field_added(order: Json) -> Json:
    _with_body(ops.VALIDATE, lambda body: {**body, "channel": "web"})
    return recorded(order)


def field_removed(order: Json) -> Json:
    _with_body(ops.POST_LEDGER, lambda body: {k: v for k, v in body.items() if k != "currency"})
    return recorded(order)


def call_removed(order: Json) -> Json:
    original = Payment._call

    def call(self: Any, op: Any, body: Json, *rest: Any, **named: Any) -> Any:
        if op is ops.NOTIFY:
            reached()
            return Result(ok=True, status=200, body={}, error=None, attempts=1, timeouts=0,
                          span_id="0" * 16, started_ns=0, ended_ns=0)  # fmt: skip
        return original(self, op, body, *rest, **named)

    Payment._call = call
    return recorded(order)


def call_inserted(order: Json) -> Json:
    original = Payment._validate

    def validate(self: Any) -> None:
        original(self)
        reached()
        self._call(ops.NOTIFY, {"order_id": self.flow.flow_id, "template": "order_received"})

    Payment._validate = validate
    return recorded(order)


def call_repeated(order: Json) -> Json:
    original = Payment._validate

    def validate(self: Any) -> None:
        reached()
        original(self)
        original(self)

    Payment._validate = validate
    return recorded(order)


def timer_shortened(order: Json) -> Json:
    return _timer(order, 15)


def timer_lengthened(order: Json) -> Json:
    return _timer(order, 60)


def _timer(order: Json, delay_ms: int) -> Json:
    original = Payment.run

    def run(self: Any) -> Any:
        timer = self.timer

        def changed(flow_: Any, _: int) -> None:
            reached()
            timer(flow_, delay_ms)

        self.timer = changed
        return original(self)

    Payment.run = run
    return recorded(order)


def timeout_shortened(order: Json) -> Json:
    return _charging(order, lambda op: replace(op, timeout_ms=200), lambda r, _: r.timeouts > 0)


def attempts_reduced(order: Json) -> Json:
    return _charging(
        order,
        lambda op: replace(op, max_attempts=1),
        lambda r, _: r.error not in (None, "402", "breaker_open"),
    )


def backoff_changed(order: Json) -> Json:
    return _charging(
        order, lambda op: replace(op, backoff_initial_ms=140), lambda r, _: r.attempts > 1
    )


def _charging(order: Json, change: Any, met: Any) -> Json:
    made, original = ops.charge_at, Caller.call

    def call(self: Any, flow_: Any, operation: Any, *rest: Any, **named: Any) -> Result:
        result = original(self, flow_, operation, *rest, **named)
        if operation.path == "/charges" and met(result, operation):
            reached()
        return result

    ops.charge_at = lambda gateway: change(made(gateway))
    Caller.call = call  # type: ignore[method-assign,assignment]
    return recorded(order)


def key_changed(order: Json) -> Json:
    original = Payment._charge_at

    def charge(self: Any, gateway: str, *, clean: bool) -> Any:
        reached()
        self.behaviour = replace(
            self.behaviour, charge_key_per_attempt=not self.behaviour.charge_key_per_attempt
        )
        try:
            return original(self, gateway, clean=clean)
        finally:
            self.behaviour = replace(
                self.behaviour, charge_key_per_attempt=not self.behaviour.charge_key_per_attempt
            )

    Payment._charge_at = charge
    return recorded(order)


class _Inline(Executor):
    """Runs at once what it is given."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def serialised(order: Json) -> Json:
    original = Payment._reserve_and_score

    def reserve(self: Any) -> Any:
        reached()
        self.pool = _Inline()
        return original(self)

    Payment._reserve_and_score = reserve
    return recorded(order)


def parallelised(order: Json) -> Json:
    """The score is asked for while the order is still being validated."""
    original = Payment._validate

    def validate(self: Any) -> None:
        reached()
        request = {name: self.order[name] for name in
                   ("order_id", "amount", "country", "customer_age_days", "loyalty")}  # fmt: skip
        early = self.pool.submit(self._call, ops.SCORE, request)
        original(self)
        answer = early.result()
        self.pool = _Early(self.pool, answer)

    Payment._validate = validate
    return recorded(order)


class _Early(Executor):
    """Gives the early answer where the score is asked for."""

    def __init__(self, pool: Executor, answer: Any) -> None:
        self._pool, self._answer = pool, answer

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        if args and args[0] is ops.SCORE:
            done: Future[Any] = Future()
            done.set_result(self._answer)
            return done
        return self._pool.submit(fn, *args, **kwargs)


def exception_raised(order: Json) -> Json:
    original = Payment._register_refund

    def register(self: Any, *rest: Any) -> None:
        reached()
        original(self, *rest)
        raise KeyError("charge_id")

    Payment._register_refund = register
    return recorded(order)


def result_changed(order: Json) -> Json:
    output = recorded(order)
    reached()
    return {**output, "status": "done"}


def undone_in_another_order(order: Json) -> Json:
    original: Any = PaymentCompensator.plan

    def plan(self: Any) -> Any:
        undos = original(self)
        if len(undos) > 1:
            reached()
        return list(reversed(undos))

    PaymentCompensator.plan = plan  # type: ignore[method-assign]
    return recorded(order)


def undoing_forgotten(order: Json) -> Json:
    original: Any = PaymentCompensator.plan

    def plan(self: Any) -> Any:
        undos = original(self)
        if undos:
            reached()
        return undos[1:]

    PaymentCompensator.plan = plan  # type: ignore[method-assign]
    return recorded(order)
