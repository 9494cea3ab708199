"""Reports over a large store: flows a second, and whether spans cost anything.

The sample incident `payment-brownout` (600 flows, 19 spans each), derived once and then multiplied
inside the store. Measured are the facts of all flows, the SLO report, the back-test of its alerts,
the latency budget and the scorecard with its costs. The yardstick of the first two is the plainest
question over the same flows (count by outcome) and one over all spans (count by service). A second
store holds the same flows with every span three times: what grows with spans shows there.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11. On a busy machine compare the CPU columns.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from analyzer.facts import read_flow_facts
from analyzer.latency.budgets import latency_budget
from analyzer.releases.settings import ReleaseSettings
from analyzer.scorecard.card import scorecard
from analyzer.scorecard.grouping import By
from analyzer.scorecard.settings import Owners
from analyzer.slo.backtest import backtest
from analyzer.slo.evaluate import read_facts, report
from analyzer.slo.openslo import read_slos
from analyzer.slo.timeline import timeline
from benchmarks.lib.measuring import Spent, machine, memory_mb, spent, stored_sample, table
from benchmarks.lib.multiplied import multiply, thicken
from store.lease import Session, Store
from store.read import counts

FLOWS = 50_000
SAMPLE_FLOWS = 600
SLOS = Path(__file__).resolve().parents[1] / "retrospan" / "slos" / "payment.yaml"
BY_OUTCOME = "SELECT outcome, count(*) FROM flows GROUP BY outcome"
BY_SERVICE = "SELECT service, count(*) FROM spans GROUP BY service"

Work = Callable[[Session], object]


def works() -> dict[str, Work]:
    """What is measured, by name."""
    slos = read_slos([SLOS])

    def tested(session: Session) -> object:
        flows = read_facts(session)
        return [backtest(slo, slo.objectives[0], timeline(slo, flows)) for slo in slos]

    def latency(session: Session) -> object:
        flows = [it.flow_id for it in read_flow_facts(session) if it.values["succeeded"]]
        return latency_budget(session, flows, 2_000_000_000)

    def card(session: Session) -> object:
        end_ns = (counts(session).data_end_ns or 0) + 1
        return scorecard(session, By.KIND, 0, end_ns, Owners(), ReleaseSettings())

    return {
        "yardstick: flows by outcome": lambda it: it.cursor.execute(BY_OUTCOME).fetchall(),
        "yardstick: spans by service": lambda it: it.cursor.execute(BY_SERVICE).fetchall(),
        "facts": read_flow_facts,
        "slo report": lambda it: report(slos, read_facts(it), 1 << 62),
        "slo backtest": tested,
        "slo latency": latency,
        "scorecard": card,
    }


def measured(store: Store, name: str, work: Work) -> Spent:
    """One piece of work on an open store."""
    with store.lease(f"measuring {name}") as session, spent() as taken:
        work(session)
    return taken


def main() -> None:
    """Multiply, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--flows", type=int, default=FLOWS)
    copies = max(1, parser.parse_args().flows // SAMPLE_FLOWS)
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        store = stored_sample(Path(folder), derived=True)
        flows, spans = multiply(store, copies)
        thin = {name: measured(store, name, work) for name, work in works().items()}
        many = thicken(store)
        thick = {name: measured(store, name, work) for name, work in works().items()}
    print(
        f"\n{flows:,} flows, {spans:,} spans, then {many:,} spans; at most {memory_mb('VmHWM')} MB"
    )
    table(
        ("work", "s", "CPU s", "flows/CPU s", "CPU s with more spans", "ratio"),
        [
            (
                name,
                one.wall,
                one.cpu,
                flows / max(one.cpu, 1e-9),
                thick[name].cpu,
                thick[name].cpu / max(one.cpu, 1e-9),
            )
            for name, one in thin.items()
        ],
    )


if __name__ == "__main__":
    main()
