"""The same work on many items in a few threads, in the order of the items."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
Result = TypeVar("Result")


def in_threads(function: Callable[[T], Result], items: Iterable[T], workers: int) -> Iterator[tuple[T, Result]]:
    """Yield each of `items` with `function(item)`, in their order; `workers` threads work on so many at a time.

    An item is drawn when a thread is free for it. One worker is the caller's own thread. What the function raises is
    raised here; then, and when the caller stops, the items begun are finished first.
    """
    if workers == 1:
        for item in items:
            yield item, function(item)
        return
    executor, pending = ThreadPoolExecutor(workers), deque[tuple[T, "Future[Result]"]]()
    try:
        for item in items:
            pending.append((item, executor.submit(function, item)))
            if len(pending) >= workers:
                done, future = pending.popleft()
                yield done, future.result()
        while pending:
            done, future = pending.popleft()
            yield done, future.result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
