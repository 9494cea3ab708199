"""Changes of the payment workflow, and which recorded payments each one makes a difference to.

Which ones was worked out by hand from the code, not from what any replay said.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.replay.temporal.recording import SCENARIOS, WORKFLOWS

EVERY = frozenset(SCENARIOS)
SHIPPING = frozenset({"ok", "small", "retried", "ship_failed", "refund_failed", "approved"})
PAID = SHIPPING - {"ship_failed", "refund_failed"}
ASKED = frozenset({"approved", "refused", "nobody", "review_declined", "cancelled"})
UNDONE = frozenset({"stock_away", "declined", "ship_failed", "review_declined"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A piece of the source with what takes its place."""

    name: str
    old: str
    new: str
    differs: frozenset[str]

    def write(self, folder: Path) -> None:
        """The changed workflow as `payment_saga.py` in a folder."""
        source = (WORKFLOWS / "payment_saga.py").read_text()
        assert source.count(self.old) == 1, self.name
        (folder / "payment_saga.py").write_text(source.replace(self.old, self.new))


_FIRST = """            reservation = await _do(reserve_stock, order)
            undo.append((release_stock, reservation))
            risk = await _do(score_risk, order)
"""
_GATHERED = 'await asyncio.gather(_do(notify, order, "shipped"), _do(notify, order, "billed"))'
_RAISES = 'raise ApplicationError(f"compensated: {error.cause}", type="SagaFailed") from error'

MUTATIONS = (
    Mutation(
        name="activity arguments", differs=EVERY - {"stock_away"},
        old="_do(score_risk, order)", new='_do(score_risk, Order("x", 1))',
    ),
    Mutation(
        name="compensation arguments",
        differs=frozenset({"declined", "ship_failed", "refund_failed", "review_declined",
                           "cancelled"}),
        old="_do(what, about, order)", new='_do(what, about + "!", order)',
    ),
    Mutation(name="timer", differs=SHIPPING, old="sleep(0.1)", new="sleep(3)"),
    Mutation(name="wait for a human", differs=ASKED,
             old="seconds=order.patience", new="seconds=order.patience * 2"),
    Mutation(name="activity timeout", differs=EVERY,
             old="seconds: int = 5", new="seconds: int = 77"),
    Mutation(name="retry policy", differs=EVERY,
             old="maximum_attempts=3", new="maximum_attempts=5"),
    Mutation(
        name="two activities swapped", differs=EVERY, old=_FIRST,
        new="".join(_FIRST.splitlines(True)[2:] + _FIRST.splitlines(True)[:2]),
    ),
    Mutation(name="timer removed", differs=SHIPPING,
             old="            await workflow.sleep(0.1)\n", new=""),
    Mutation(
        name="activity added", differs=SHIPPING,
        old="            await workflow.sleep(0.1)\n",
        new='            await _do(notify, order, "charged")\n'
            "            await workflow.sleep(0.1)\n",
    ),
    Mutation(name="other branch of an AI decision", differs=EVERY - ASKED - {"stock_away"},
             old="< 0.6", new="< 0.99"),
    Mutation(name="workflow result", differs=PAID, old='"status": "done"', new='"status": "paid"'),
    Mutation(name="failure message", differs=UNDONE, old='f"compensated:', new='f"undone:'),
    Mutation(
        name="parallel made sequential", differs=PAID, old=_GATHERED,
        new='[await _do(notify, order, text) for text in ("shipped", "billed")]',
    ),
    Mutation(
        name="sequential made parallel", differs=EVERY, old=_FIRST,
        new="            reservation, risk = await asyncio.gather(\n"
            "                _do(reserve_stock, order), _do(score_risk, order)\n"
            "            )\n"
            "            undo.append((release_stock, reservation))\n",
    ),
    Mutation(name="failure swallowed", differs=UNDONE, old=_RAISES,
             new='return {"status": "undone"}'),
    Mutation(name="child workflow's id", differs=PAID, old='-receipt"\n', new='-invoice"\n'),
    Mutation(name="order of compensations", differs=frozenset({"ship_failed", "refund_failed"}),
             old="in reversed(undo)", new="in undo"),
)  # fmt: skip
UNCHANGED = Mutation(
    name="nothing", differs=frozenset(), old="reversed(undo)", new="reversed(undo)"
)
