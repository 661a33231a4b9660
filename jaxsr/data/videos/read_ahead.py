"""Work in a thread before and behind a loop, at most so many items away: memory does not grow with their number."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


@contextlib.contextmanager
def read_ahead(items: Iterable[T], limit: int) -> Iterator[Iterator[T]]:
    """Yield an iterator over `items`, which a thread draws, up to `limit` ahead.

    What drawing raises is raised by the iterator. The thread has ended when the block ends.
    """
    iterator, end = iter(items), object()
    with _thread() as executor:

        def ahead() -> Iterator[T]:
            pending = deque(executor.submit(next, iterator, end) for _ in range(limit))
            while (item := pending.popleft().result()) is not end:
                pending.append(executor.submit(next, iterator, end))
                yield item  # pyright: ignore[reportReturnType]

        yield ahead()


@contextlib.contextmanager
def write_behind(write: Callable[[T], object], limit: int) -> Iterator[Callable[[T], None]]:
    """Yield a function that lets a thread `write` its argument; it waits while `limit` items are unwritten.

    What `write` raises is raised by that function, or where the block ends, which is when all is written.
    """
    pending: deque[Future] = deque()
    with _thread() as executor:

        def put(item: T) -> None:
            pending.append(executor.submit(write, item))
            if len(pending) > limit:
                pending.popleft().result()

        yield put
        for future in pending:
            future.result()


@contextlib.contextmanager
def _thread() -> Iterator[ThreadPoolExecutor]:
    """Yield an executor of one thread, which has ended after the block, without what it had not begun."""
    executor = ThreadPoolExecutor(1)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
