"""Reading processes of our own: `python -m trail.index.ingest`, fed and heard through pipes.

Not `multiprocessing`: it would start the caller's main module again, which is the dashboard. Those
launched together are one process that imports what reading needs, and then forks the others: at
that moment it has no thread of its own yet, which cannot be said of us.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trail.index.ingest import Advance, Message, Task, TaskResult, receive_message, send

_ROOT = Path(__file__).resolve().parents[2]


_FORKS = sys.platform == "linux"
"""Elsewhere a fork is not safe after the system's own libraries were used."""


@dataclass
class _Worker:
    number: int
    tasks: IO[bytes]
    """Its stdin."""
    answers: IO[bytes]
    """Its stdout."""
    task: Task | None = None


class Workers:
    """Some processes that each read one task at a time."""

    def __init__(self) -> None:
        self._said: queue.Queue[tuple[_Worker, Message | None]] = queue.Queue()
        self._workers: list[_Worker] = []
        # Each leads the process group of those it forked. Waited for at the end only, so that
        # until then the number names this group and no other.
        self._leaders: list[subprocess.Popen[bytes]] = []
        self._listeners: list[threading.Thread] = []

    def launch(self, count: int) -> None:
        """Starts processes: a fifth of a second passes until they can read."""
        for numbers in [range(count)] if _FORKS and count else [[n] for n in range(count)]:
            self._launch(numbers)

    @property
    def any(self) -> bool:
        return bool(self._workers)

    @property
    def busy(self) -> bool:
        return any(worker.task is not None for worker in self._workers)

    @property
    def idle(self) -> bool:
        return any(worker.task is None for worker in self._workers)

    def start(self, task: Task) -> None:
        """Gives the task to a worker that has none."""
        worker = next(worker for worker in self._workers if worker.task is None)
        worker.task = task
        with suppress(BrokenPipeError):  # its listener reports the death
            send(worker.tasks, task)

    def wait(self, advance: Callable[[int, Advance], None]) -> list[tuple[Task, TaskResult | None]]:
        """Waits for something to be said. A finished task with its result, None after a crash."""
        worker, message = self._said.get()
        task = worker.task
        if message is None:
            self._workers.remove(worker)
            _close(worker.tasks)
            self._launch([worker.number])
            return [(task, None)] if task is not None else []
        far, result = message
        if far is not None:
            advance(worker.number, far)
        if result is None or task is None:
            return []
        worker.task = None
        advance(worker.number, Advance(0, 0, 0))
        return [(task, result)]

    def dismiss(self) -> None:
        """Tells all of them to end; `kill` waits until they have, which takes a moment."""
        if self.busy:
            self._end()
        for worker in self._workers:
            _close(worker.tasks)

    def kill(self) -> None:
        """Ends all of them; what they have not finished was never visible."""
        self.dismiss()
        # Gone when its answers end: only then does a forked one write nothing any more.
        for listener in self._listeners:
            listener.join()
        self._end()
        for leader in self._leaders:
            leader.wait()
        self._workers, self._leaders, self._listeners = [], [], []

    def _end(self) -> None:
        for leader in self._leaders:
            with suppress(ProcessLookupError, PermissionError):  # none of the group is left
                os.killpg(leader.pid, signal.SIGKILL)

    def _launch(self, numbers: Sequence[int]) -> None:
        """Starts one process that becomes a worker for each number."""
        pipes = [(os.pipe(), os.pipe()) for _ in numbers]
        theirs = [end for (tasks, _), (_, answers) in pipes for end in (tasks, answers)]
        try:
            leader = subprocess.Popen(  # noqa: S603 # our own module, no argument from outside
                [sys.executable, "-m", "trail.index.ingest", *map(str, theirs[2:])],
                cwd=_ROOT,
                # numpy would start threads for linear algebra: they cost more than they do here.
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
                stdin=theirs[0],
                stdout=theirs[1],
                pass_fds=theirs[2:],
                start_new_session=True,  # Ctrl-C is for the builder, who then ends its workers
            )
        finally:
            for end in theirs:
                os.close(end)
        self._leaders.append(leader)
        for number, ((_, tasks), (answers, _)) in zip(numbers, pipes, strict=True):
            worker = _Worker(number, os.fdopen(tasks, "wb"), os.fdopen(answers, "rb"))
            self._workers.append(worker)
            listener = threading.Thread(target=self._listen, args=(worker,), daemon=True)
            self._listeners.append(listener)
            listener.start()

    def _listen(self, worker: _Worker) -> None:
        with worker.answers:
            while (message := receive_message(worker.answers)) is not None:
                self._said.put((worker, message))
        self._said.put((worker, None))


def _close(pipe: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        pipe.close()
