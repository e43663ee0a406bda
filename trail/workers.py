"""Reading processes of our own: `python -m trail.ingest`, fed and heard through pipes.

Not `multiprocessing`: it would start the caller's main module again, which is the dashboard.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trail.ingest import Message, Task, TaskResult, receive_message, send

_ROOT = Path(__file__).resolve().parent.parent


@dataclass
class _Worker:
    number: int
    process: subprocess.Popen[bytes]
    task: Task | None = None


class Workers:
    """Some processes that each read one task at a time."""

    def __init__(self) -> None:
        self._said: queue.Queue[tuple[_Worker, Message | None]] = queue.Queue()
        self._workers: list[_Worker] = []

    def launch(self, count: int) -> None:
        """Starts processes: a fifth of a second passes until they can read."""
        self._workers += [self._launch(number) for number in range(count)]

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
        assert worker.process.stdin is not None
        with suppress(BrokenPipeError):  # its listener reports the death
            send(worker.process.stdin, task)

    def wait(
        self, advance: Callable[[int, int, int, int], None]
    ) -> list[tuple[Task, TaskResult | None]]:
        """Waits for something to be said. A finished task with its result, None after a crash."""
        worker, message = self._said.get()
        task = worker.task
        if message is None:
            self._workers.remove(worker)
            _bury(worker)
            self._workers.append(self._launch(worker.number))
            return [(task, None)] if task is not None else []
        far, result = message
        if far is not None:
            advance(worker.number, far.files, far.bytes, far.events)
        if result is None or task is None:
            return []
        worker.task = None
        advance(worker.number, 0, 0, 0)
        return [(task, result)]

    def dismiss(self) -> None:
        """Tells all of them to end; `kill` waits until they have, which takes a moment."""
        for worker in self._workers:
            worker.process.kill()

    def kill(self) -> None:
        """Ends all of them; what they have not finished was never visible."""
        self.dismiss()
        for worker in self._workers:
            _bury(worker)
        self._workers = []

    def _launch(self, number: int) -> _Worker:
        process = subprocess.Popen(  # noqa: S603 # our own module, no argument from outside
            [sys.executable, "-m", "trail.ingest"],
            cwd=_ROOT,
            # numpy would start threads for linear algebra, which cost more than they do here.
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the builder, who then ends its workers
        )
        worker = _Worker(number, process)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        try:
            while (message := receive_message(worker.process.stdout)) is not None:
                self._said.put((worker, message))
        except ValueError:
            pass  # the pipe was closed by `kill`
        self._said.put((worker, None))


def _bury(worker: _Worker) -> None:
    """Waits for a process that ends, and closes its pipes."""
    worker.process.wait()
    for pipe in (worker.process.stdin, worker.process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
