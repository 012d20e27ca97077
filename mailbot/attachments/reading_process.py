"""`python -m mailbot.attachments.reading_process`: reads one file after the other for its parent, within limits.

It holds no key, no configuration and no file of mailbot's. Standard input has requests, standard output answers
(see protocol).
"""

from __future__ import annotations

import os
import resource
import sys

from mailbot.attachments.formats import FORMATS
from mailbot.attachments.protocol import (
    MOST_LINE_BYTES,
    Extracted,
    Limits,
    Request,
    answer_bytes,
    read_request,
)
from mailbot.core.attached import Reason


def main() -> None:
    """Answers until its parent is gone or kills it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    _forbid(resource.RLIMIT_CORE, 0)
    _forbid(resource.RLIMIT_FSIZE, 0)
    while line := sys.stdin.buffer.readline(MOST_LINE_BYTES):
        request = read_request(line)
        answer = _read(request, sys.stdin.buffer.read(request.size))
        answers.write(answer_bytes(answer))
        answers.flush()


def _read(request: Request, data: bytes) -> Extracted | Reason:
    _limit(request.limits)
    try:
        return FORMATS[request.format](data, request.limits)
    except MemoryError:
        return Reason.TOO_MUCH_MEMORY
    except Exception:  # noqa: BLE001  # the libraries raise dozens of kinds for files that are not what they should be
        return Reason.BROKEN


def _limit(limits: Limits) -> None:
    """Also when its parent is stopped or killed, a file costs this process no more."""
    _forbid(resource.RLIMIT_AS, limits.memory_mib << 20)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _forbid(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + limits.seconds) + 2)


def _forbid(what: int, most: int) -> None:
    resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


if __name__ == "__main__":
    main()
