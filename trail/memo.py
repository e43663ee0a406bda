"""Results that are given again when the same is asked again of the same index."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """The results asked for last, as many as `room` holds. Safe to use from several threads.

    Whoever asks while the same is being worked out waits for it. An error is everybody's own.
    """

    def __init__(self, room: int, size: Callable[[T], int]) -> None:
        self._room = room
        self._size = size
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._used = 0
        self._at_work: dict[Hashable, threading.Event] = {}

    def get(self, key: Hashable, work_out: Callable[[], T]) -> T:
        """The held result, else the one worked out now."""
        while True:
            with self._lock:
                if key in self._held:
                    self._held.move_to_end(key)
                    return self._held[key]
                done = self._at_work.get(key)
                if done is None:
                    self._at_work[key] = threading.Event()
                    break
            done.wait()
            with self._lock:
                if key not in self._held and key not in self._at_work:
                    # Too large to be held, or it failed: each on their own.
                    self._at_work[key] = threading.Event()
                    break
        try:
            result = work_out()
            self._keep(key, result)
            return result
        finally:
            with self._lock:
                self._at_work.pop(key).set()

    def _keep(self, key: Hashable, result: T) -> None:
        size = 1 + self._size(result)
        if size > self._room // 4:
            return
        with self._lock:
            self._held[key] = result
            self._used += size
            while self._used > self._room:
                _, oldest = self._held.popitem(last=False)
                self._used -= 1 + self._size(oldest)
