"""Results that are given again when the same is asked again of the same index."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """The results asked for last, as many as `room` holds. Safe to use from several threads.

    Whoever asks while the same is being worked out shares what comes of it, be it an error.
    """

    def __init__(self, room: int, size: Callable[[T], int]) -> None:
        self._room = room
        self._size = size
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._used = 0
        self._at_work: dict[Hashable, Future[T]] = {}

    def get(self, key: Hashable, work_out: Callable[[], T]) -> T:
        """The held result, else the one worked out now."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            coming = self._at_work.get(key)
            if coming is None:
                mine = self._at_work[key] = Future[T]()
        if coming is not None:
            return coming.result()
        try:
            mine.set_result(work_out())
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            self._settle(key)
        return mine.result()

    def _settle(self, key: Hashable) -> None:
        """Holds what was worked out, if it leaves room for others."""
        with self._lock:
            done = self._at_work.pop(key)
            if done.exception() is not None:
                return
            size = 1 + self._size(done.result())
            if size > self._room // 4:
                return
            self._held[key] = done.result()
            self._used += size
            while self._used > self._room:
                _, oldest = self._held.popitem(last=False)
                self._used -= 1 + self._size(oldest)
