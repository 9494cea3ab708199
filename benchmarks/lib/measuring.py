"""Clocks, memory, tables: what several benchmarks measure with."""

import os
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analyzer.rebuild import RebuildSettings, rebuild
from ingest.pipeline import IngestSettings, ingest_paths
from retrospan import samples
from store.lease import Store

SAMPLE = "payment-brownout"
TICKS = os.sysconf("SC_CLK_TCK")
KEY = b"benchmarks: nothing here is secret"


@dataclass(slots=True)
class Spent:
    """Seconds a piece of work took. `cpu` is of this process, and steadier on a busy machine."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def spent() -> Iterator[Spent]:
    """Take the time of the block; the value is filled when the block ends."""
    taken = Spent()
    wall, cpu = time.perf_counter(), time.process_time()
    yield taken
    taken.wall, taken.cpu = time.perf_counter() - wall, time.process_time() - cpu


def memory_mb(field: str, processes: Iterable[int | str] = ("self",)) -> int:
    """`VmRSS` (now) or `VmHWM` (the most so far) of some processes, summed."""
    total = 0
    for process in processes:
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:  # it ended
            continue
        total += sum(
            int(line.split()[1]) for line in status.splitlines() if line.startswith(field + ":")
        )
    return total // 1024


def forget_peak() -> None:
    """From now on `VmHWM` of this process starts at what it holds."""
    Path("/proc/self/clear_refs").write_text("5")


def family(process: int) -> list[int]:
    """A process with all it started, as they are now."""
    found, waiting = [], [process]
    while waiting:
        found.append(waiting.pop())
        for path in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            waiting += map(int, path.read_text().split())
    return found


def cpu_seconds(processes: Iterable[int]) -> float:
    """CPU seconds of processes; those of children that ended count for their parent."""
    total = 0
    for process in processes:
        try:
            stat = Path(f"/proc/{process}/stat").read_text()
        except OSError:
            continue
        total += sum(map(int, stat.rpartition(")")[2].split()[11:15]))
    return total / TICKS


def machine() -> str:
    """The machine, how busy it is, on one line."""
    models = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{os.cpu_count()} × {', '.join(sorted(models)) or platform.machine()}, "
        f"Python {platform.python_version()}, load average {load}"
    )


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as Markdown; floats get the digits they are worth."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(_cell(value) for value in row) + " |")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def stored_sample(folder: Path, *, derived: bool) -> Store:
    """A new store with the sample incident in it, with its flows if asked for."""
    store = Store(folder / "sample.duckdb")
    ingest_paths(store, [str(samples.find(SAMPLE))], IngestSettings(redaction_key=KEY))
    if derived:
        rebuild(store, RebuildSettings())
    return store
