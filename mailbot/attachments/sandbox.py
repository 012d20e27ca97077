"""The process that reads attachments: started when first needed, killed when it takes too long, started again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import weakref
from dataclasses import replace
from typing import IO

from mailbot.attachments.protocol import (
    MOST_LINE_BYTES,
    Extracted,
    Limits,
    Request,
    read_answer_line,
    request_line,
)
from mailbot.core.attached import Reason

_KEPT_VARIABLES = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
"""Not the master key, nor any other secret of the environment."""


class Sandbox:
    """One process for all files, one file at a time; safe for several threads and for processes that are copied."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._finalizer: weakref.finalize[..., Sandbox] | None = None
        self._owner = 0

    def read(self, form: str, data: bytes, seconds: float) -> Extracted | Reason:
        """What stands in a file of `form` (formats.FORMATS), or why nothing is known of it, within `seconds`."""
        with self._lock:
            try:
                process = self._running()
            except OSError:  # no memory or no process to be had: the file is for staff, the mail is taken in
                return Reason.FAILED
            expired = threading.Event()
            timer = threading.Timer(seconds, _expire, (process, expired))
            timer.start()
            try:
                answer = self._ask(process, form, data, seconds)
            finally:
                timer.cancel()
                timer.join()
            if answer in (None, Reason.TOO_MUCH_MEMORY) or expired.is_set():
                self._end(process)
            if answer is None:
                return Reason.TOO_SLOW if expired.is_set() else Reason.FAILED
            return answer

    def _running(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None or self._owner != os.getpid() or process.poll() is not None:
            process = self._process = _start()
            self._owner = os.getpid()
            self._finalizer = weakref.finalize(self, _end_at_exit, process, self._owner)
        return process

    def _ask(
        self, process: subprocess.Popen[bytes], form: str, data: bytes, seconds: float
    ) -> Extracted | Reason | None:
        """The answer; None when the process ended, or answered what nobody understands."""
        to_process, from_process = _pipes(process)
        limits = replace(self._limits, seconds=seconds)
        try:
            to_process.write(request_line(Request(form, len(data), limits)))
            to_process.write(data)
            to_process.flush()
            return self._answer(from_process)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _answer(self, stream: IO[bytes]) -> Extracted | Reason | None:
        match read_answer_line(stream.readline(MOST_LINE_BYTES)):
            case Reason() as reason:
                return reason
            case (size, is_cut) if 0 <= size <= self._limits.max_bytes:
                content = stream.read(size)
                return Extracted(content, is_cut) if len(content) == size else None
            case _:
                return None

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        _close(process)
        self._process = None
        if self._finalizer is not None:
            self._finalizer.detach()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-B", "-P", "-m", "mailbot.attachments.reading_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
        start_new_session=True,  # Ctrl-C is for its parent
    )


def _expire(process: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    process.kill()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process was started without pipes")
    return process.stdin, process.stdout


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in _pipes(process):
        try:
            pipe.close()
        except OSError:  # what was not yet written has no reader any more
            continue


def _end_at_exit(process: subprocess.Popen[bytes], owner: int) -> None:
    """Nobody needs it any more; a copy of its owner leaves it alone."""
    if owner == os.getpid() and process.poll() is None:
        process.kill()
        process.wait()
        _close(process)
