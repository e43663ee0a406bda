"""Stops what takes too long: one thread for every query that runs, not one for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Watchdog:
    """Calls each running query's `interrupt` once its time is up."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[int, tuple[float, Callable[[], None]]] = {}
        self._number = 0
        self._thread: threading.Thread | None = None
        self._wakes_at = float("inf")
        self._ended = False

    def end(self) -> None:
        """Interrupts what runs until it has ended, and ends the thread: nothing is watched from
        now on."""
        give_up = time.monotonic() + _IDLE
        with self._changed:
            self._ended = True
            self._changed.notify()
            thread = self._thread
            while self._running and time.monotonic() < give_up:
                for _, interrupt in self._running.values():
                    interrupt()  # one that had not begun to run does not notice: once more, then
                self._changed.wait(0.02)
        if thread is not None:
            thread.join()

    @contextmanager
    def watching(self, interrupt: Callable[[], None], seconds: float) -> Iterator[None]:
        """Interrupts after so many seconds, unless the block has ended: never later."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._number += 1
            number = self._number
            self._running[number] = (deadline, interrupt)
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
            elif deadline < self._wakes_at:
                self._changed.notify()
        try:
            yield
        finally:
            # Under the lock that interrupts are made under: the next query is never hit instead.
            with self._changed:
                self._running.pop(number, None)

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                late = [n for n, (deadline, _) in self._running.items() if deadline <= now]
                for number in late:
                    self._running.pop(number)[1]()
                if self._ended:
                    return
                if not self._running:
                    self._wakes_at = now + _IDLE
                    if not self._changed.wait(_IDLE) and not self._running:
                        self._thread = None
                        return
                    continue
                self._wakes_at = min(deadline for deadline, _ in self._running.values())
                self._changed.wait(max(0.0, self._wakes_at - now))


_IDLE = 10.0
"""Seconds without a query after which the thread ends."""
