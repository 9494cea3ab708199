"""Who may open the store. Time limits are generous: a slow machine makes no difference."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import duckdb
import pytest

from store.errors import (
    DataError,
    InvariantError,
    StoreBusyError,
)
from store.lease import LeaseSettings, Session, Store
from store.locks import FileLock
from store.model import Batch, Span
from store.read import counts
from store.write import write_batch

ROOT = Path(__file__).parents[2]
IMPATIENT = LeaseSettings(wait_seconds_max=0.2)
HOLD = """
import sys, time
from pathlib import Path
from store.lease import Store
from store.model import Batch, Span
from store.write import write_batch
span = Span(trace_id="a" * 32, span_id="b" * 16, parent_span_id=None, name="n", kind="server",
            service="s", start_ns=1, end_ns=2)
batch = Batch(source="x", content_sha256="1", reader="r", rules_sha256="0", spans=[span])
with Store(Path(sys.argv[1])).lease("a long load", create=True) as session:
    write_batch(session, batch)
    print("held", flush=True)
    sys.stdin.readline()
"""
READ = """
import sys
from pathlib import Path
from store.lease import Store
with Store(Path(sys.argv[1])).reading("a long report"):
    print("held", flush=True)
    sys.stdin.readline()
"""
HOLD_WITHOUT_LEASE = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
"""
RETAKE = """
import sys, time
from pathlib import Path
from store.lease import Store
store = Store(Path(sys.argv[1]))
with store.lease("first", create=True):
    pass
print("held", flush=True)
while True:
    with store.lease("again and again", create=True):
        time.sleep(0.02)
"""
FORK = """
import os, sys
from pathlib import Path
from store.errors import StoreBusyError
from store.lease import LeaseSettings, Store
store = Store(Path(sys.argv[1]), LeaseSettings(wait_seconds_max=0.2))
with store.lease("parent", create=True) as session:
    child = os.fork()
    if child == 0:
        try:
            with store.lease("child"):
                sys.exit(5)
        except StoreBusyError as error:
            sys.exit(7 if "parent" in str(error) else 6)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    session.row("read/generation")
child = os.fork()
if child == 0:
    with store.lease("child") as session:
        sys.exit(session.row("read/generation")[0])
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""

BATCH = Batch(
    source="x",
    content_sha256="1",
    reader="r",
    rules_sha256="0",
    spans=[
        Span(
            trace_id="a" * 32,
            span_id="b" * 16,
            parent_span_id=None,
            name="n",
            kind="server",
            service="s",
            start_ns=1,
            end_ns=2,
        )
    ],
)


@pytest.fixture
def holder(path: Path) -> Iterator[Callable[[str], Popen[str]]]:
    """Start another process that runs a program on the store; it is up when this returns."""
    started: list[Popen[str]] = []

    def start(program: str) -> Popen[str]:
        process = Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_who_does_the_same_work_on_a_store_is_told_who_came_first(path: Path) -> None:
    """Each `Store` stands for a process: the lock is of an open file."""
    with Store(path).first_at("deriving") as first, Store(path).first_at("deriving") as second:
        assert (first, second) == (True, False)
        with Store(path).first_at("other work") as other:
            assert other
    with Store(path).first_at("deriving") as first:
        assert first


def test_a_busy_store_names_its_holder_and_its_purpose(
    path: Path, holder: Callable[[str], Popen[str]]
) -> None:
    other = holder(HOLD)
    with (
        pytest.raises(StoreBusyError, match=rf"process {other.pid} \(a long load\).*0\.2 seconds"),
        Store(path, IMPATIENT).lease("report"),
    ):
        pass
    other.communicate("\n")
    with Store(path, IMPATIENT).lease("report") as session:
        assert counts(session).spans == 1


@pytest.fixture
def stored(path: Path) -> Path:
    with Store(path).lease("making it", create=True):
        pass
    return path


def test_processes_that_only_read_have_the_store_together(
    stored: Path, holder: Callable[[str], Popen[str]]
) -> None:
    holder(READ)
    with Store(stored, IMPATIENT).reading("report") as session:
        assert counts(session).spans == 0
        other = holder(READ)
    with (
        pytest.raises(StoreBusyError, match=f"process {other.pid} .a long report"),
        Store(stored, IMPATIENT).lease("load"),
    ):
        pass
    other.communicate("\n")
    with (
        pytest.raises(StoreBusyError, match="in use by processes that read"),
        Store(stored, IMPATIENT).lease("load"),
    ):
        pass


def test_a_reader_that_comes_after_a_writer_waits_for_it(
    stored: Path, holder: Callable[[str], Popen[str]]
) -> None:
    """Else readers who never all leave would keep every writer out."""
    order: list[str] = []

    def write() -> None:
        with Store(stored).lease("load"):
            order.append("writer")

    def read() -> None:
        child = holder(READ)
        order.append("reader")
        child.communicate("\n")

    first = holder(READ)
    writer, reader = threading.Thread(target=write), threading.Thread(target=read)
    writer.start()
    while not Store(stored).is_awaited():
        time.sleep(0.01)
    reader.start()
    time.sleep(1.0)  # the reader's process is up by then
    assert order == []
    first.communicate("\n")
    writer.join()
    reader.join()
    assert order == ["writer", "reader"]


def test_what_a_killed_writer_committed_is_there_for_a_reader(
    path: Path, holder: Callable[[str], Popen[str]]
) -> None:
    other = holder(HOLD)
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert path.with_name(path.name + ".wal").is_file()
    with Store(path).reading("report") as session:
        assert counts(session).spans == 1


def test_a_reader_cannot_write(stored: Path) -> None:
    with (
        pytest.raises(InvariantError, match="only reads"),
        Store(stored).reading("report") as session,
    ):
        write_batch(session, BATCH)
    with Store(stored).reading("report") as session:
        assert counts(session).spans == 0


def test_a_thread_that_reads_is_told_that_it_cannot_begin_to_write(stored: Path) -> None:
    store = Store(stored)
    with store.reading("report"), pytest.raises(InvariantError), store.lease("load"):
        pass


def test_a_writer_waits_for_readers_of_its_own_process(stored: Path) -> None:
    store, reading, leave = Store(stored), threading.Event(), threading.Event()

    def read() -> None:
        with store.reading("report") as session:
            reading.set()
            leave.wait()
            assert counts(session).spans == 0

    reader = threading.Thread(target=read)
    reader.start()
    reading.wait()
    with (
        pytest.raises(StoreBusyError, match="readers of this process"),
        Store(stored, IMPATIENT).lease("load"),
    ):
        pass
    leave.set()
    with store.lease("load") as session, store.reading("report within it") as within:
        write_batch(session, BATCH)
        assert counts(within).spans == 1
    reader.join()


def test_a_killed_holder_blocks_nobody_and_what_it_committed_is_there(
    path: Path, holder: Callable[[str], Popen[str]]
) -> None:
    other = holder(HOLD)
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    with Store(path).lease("report") as session:
        assert counts(session).spans == 1


def test_a_process_that_opened_the_file_without_a_lease_is_named(
    path: Path, holder: Callable[[str], Popen[str]]
) -> None:
    other = holder(HOLD_WITHOUT_LEASE)
    with (
        pytest.raises(StoreBusyError, match=str(other.pid)),
        Store(path, IMPATIENT).lease("report", create=True),
    ):
        pass


def test_a_process_that_takes_the_lease_again_and_again_lets_others_in(
    path: Path, holder: Callable[[str], Popen[str]]
) -> None:
    holder(RETAKE)
    entered = 0
    for _ in range(5):
        with Store(path).lease("report"):
            entered += 1
    assert entered == 5


def test_overlapping_leases_of_one_process_let_others_in(
    path: Path, holder: Callable[[str], Popen[str]]
) -> None:
    """Two threads here always hold a lease between them; the other process still gets its turn."""
    store, stop = Store(path), threading.Event()
    first, second = threading.Event(), threading.Event()

    def hold(mine: threading.Event, theirs: threading.Event) -> None:
        while not stop.is_set():
            with store.lease("page", create=True):
                mine.set()
                theirs.wait(0.2)
                theirs.clear()

    threads = [
        threading.Thread(target=hold, args=pair) for pair in ((first, second), (second, first))
    ]
    for thread in threads:
        thread.start()
    try:
        other = holder(HOLD)
        other.communicate("\n", timeout=20)
        assert other.returncode == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_forked_child_neither_shares_nor_harms_its_parents_lease(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_duckdb_makes_of_an_interrupt_is_an_interrupt_again(path: Path) -> None:
    """It cannot show that DuckDB notices every Ctrl-C: it looks only between its own tasks."""
    with pytest.raises(KeyboardInterrupt), Store(path).lease("report", create=True):
        raise RuntimeError("Query interrupted")
    with pytest.raises(RuntimeError, match="other"), Store(path).lease("report"):
        raise RuntimeError("other")


def test_leases_of_one_process_share_the_file(path: Path) -> None:
    store, again = Store(path), Store(path.parent / "." / path.name, IMPATIENT)
    seen: list[int] = []

    def read() -> None:
        with again.lease("page") as session:
            seen.append(counts(session).spans)

    with store.lease("load", create=True):
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        read()
    assert seen == [0] * 5


def test_threads_write_one_after_the_other(path: Path, span: Callable[..., Span]) -> None:
    store = Store(path)

    def load(number: int) -> None:
        batch = replace(BATCH, content_sha256=str(number), spans=[span(number + 1)])
        with store.lease("load", create=True) as session:
            assert write_batch(session, batch).spans == 1

    threads = [threading.Thread(target=load, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.lease("read") as session:
        got = counts(session)
    assert (got.spans, got.generation) == (6, 6)


def test_a_failed_transaction_leaves_nothing(session: Session) -> None:
    with pytest.raises(ValueError, match="stop"), session.transaction():
        session.run("write/generation")
        raise ValueError("stop")
    assert session.row("read/generation") == (0,)


def test_a_database_with_a_table_of_our_name_is_not_taken_for_a_store(path: Path) -> None:
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE store_meta (key VARCHAR, value VARCHAR)")
    with pytest.raises(DataError, match="not a retrospan store"), Store(path).lease("report"):
        pass


WAIT_FOR_THE_LOCK = """
import sys, time
from pathlib import Path
from store.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
print("waits", flush=True)
assert lock.acquire("a test", time.monotonic() + 60)
with Path(sys.argv[2]).open("a") as order:
    order.write(sys.argv[3] + "\\n")
time.sleep(0.02)
lock.release()
"""


def queued(path: Path, order: Path, name: str) -> "subprocess.Popen[str]":
    """A process that stands in the queue when this returns."""
    waiting = subprocess.Popen(
        [sys.executable, "-c", WAIT_FOR_THE_LOCK, str(path), str(order), name],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "waits\n"
    time.sleep(0.1)
    return waiting


def test_who_came_first_is_served_first_and_a_killed_one_is_passed_over(path: Path) -> None:
    """That a process draws its number within a tenth of a second is assumed, not waited for."""
    order = path.with_name("order")
    lock = FileLock(path)
    assert lock.acquire("a test", time.monotonic() + 5)
    waiting = [queued(path, order, str(number)) for number in range(4)]
    waiting[1].kill()
    waiting[1].wait()
    assert lock.is_awaited()
    lock.release()
    assert lock.acquire("the last one", time.monotonic() + 30)
    assert order.read_text().split() == ["0", "2", "3"]
    lock.release()
    assert [one.wait(10) for one in (waiting[0], waiting[2], waiting[3])] == [0, 0, 0]
    for one in waiting:
        assert one.stdout is not None
        one.stdout.close()
    assert not lock.is_awaited()


def test_a_long_wait_is_told_with_its_holder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.locks.TOLD_SECONDS", 0.05)
    lock = FileLock(path.absolute().resolve())
    assert lock.acquire("a long load", time.monotonic() + 60)
    told: list[str] = []
    try:
        with (
            pytest.raises(StoreBusyError, match="a long load"),
            Store(path, IMPATIENT, told.append).lease("a question", create=True),
        ):
            pytest.fail("the lock is held")
    finally:
        lock.release()
    assert told
    assert set(told) == {f"waiting for {path}: in use by process {os.getpid()} (a long load)"}
