"""Items made by a thread before they are asked for."""

import threading
from collections.abc import Generator, Iterator
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")
WAIT_SECONDS = 0.1  # how late the thread may notice that nobody asks any more


def ahead(items: Iterator[T], count_max: int) -> Generator[T, None, None]:
    """The same items in the same order; at most `count_max` of them wait.

    What the making raises is raised here, in its place. Close this iterator to end the thread.
    """
    ready: Queue[tuple[bool, T | None, BaseException | None]] = Queue(count_max)
    stopping = threading.Event()

    def give(there: bool, item: T | None, error: BaseException | None) -> None:
        while not stopping.is_set():
            try:
                return ready.put((there, item, error), timeout=WAIT_SECONDS)
            except Full:
                continue

    def make() -> None:
        try:
            for item in items:
                give(True, item, None)
                if stopping.is_set():
                    return
        except BaseException as error:
            give(False, None, error)
        else:
            give(False, None, None)

    # A daemon: one that waits for a pipe that never ends must not keep the process alive.
    maker = threading.Thread(target=make, name="retrospan-ahead", daemon=True)
    maker.start()
    try:
        while True:
            there, item, error = ready.get()
            if error is not None:
                raise error
            if not there:
                return
            yield item  # type: ignore[misc]
    finally:
        stopping.set()
        maker.join(WAIT_SECONDS * 10)
