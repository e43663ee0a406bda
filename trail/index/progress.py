"""One line on a terminal that says how far a build is; nothing anywhere else."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

from trail.counted import counted
from trail.index.build import Progress


class Bar:
    """A `progress` callback: files, events, MB/s and time left, redrawn ten times a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty()
        self._drawn_at = 0.0
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        done = progress.files_done == progress.files_total
        if not self._shown or (now - self._drawn_at < 0.1 and not done):
            return
        self._drawn_at = now
        room = shutil.get_terminal_size().columns - 1
        line = render_progress(progress)
        if progress.file and room - len(line) > 12:
            line = f"{line}  {_name(progress.file, room - len(line) - 2)}"
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._width = len(line)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()


def render_progress(progress: Progress) -> str:
    """The line for a terminal. Time left is by bytes read, since files differ in size."""
    share = progress.bytes_done / progress.bytes_total if progress.bytes_total else 1.0
    filled = round(20 * share)
    speed = progress.bytes_done / 1e6 / progress.elapsed_s if progress.elapsed_s else 0.0
    left = progress.elapsed_s * (1 - share) / share if share else 0.0
    return (
        f"[{'#' * filled}{'.' * (20 - filled)}] {share:4.0%}  "
        f"{progress.files_done:,}/{counted(progress.files_total, 'file')} "
        f" {counted(progress.events, 'event')}  "
        f"{speed:,.1f} MB/s  {_clock(left) if share else '-:--'} left"
    )


def _name(path: str, room: int) -> str:
    """The end of a file's path. A name may hold anything, but a terminal obeys some of it."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in path)
    return shown if len(shown) <= room else f"…{shown[-room + 1 :]}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
