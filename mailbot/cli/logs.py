"""Logging, set up once: structlog to standard error, as [logging] says, without personal data."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

from mailbot.config import Logging

_ADDRESS = re.compile(r"[^\s@<>\"'(),;:=]+@[^\s@<>\"'(),;:]+")
_LINK = re.compile(r"/(u|c|h|x|case)/[\w-]{8,}")
_OTHERS_FROM = logging.WARNING
"""Libraries are heard from here on; below, some of them log whole mails."""


def set_up_logging(config: Logging) -> None:
    """Every log line, ours and the libraries', goes to standard error in the configured form."""
    level = logging.getLevelNamesMapping()[config.level.upper()]
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _tell_exception_briefly,
            _hide_people,
            _renderer(config.format),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_ToStructlog(max(level, _OTHERS_FROM))]
    root.setLevel(max(level, _OTHERS_FROM))


def _renderer(form: str) -> structlog.typing.Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


class _ToStructlog(logging.Handler):
    """Hands the libraries' lines to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """The line, with the name of its library."""
        logger = structlog.get_logger()
        logger.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def _tell_exception_briefly(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Type and place only: the text of an exception may quote a value."""
    given = line.pop("exc_info", None)
    found = sys.exc_info() if given is True else given
    if isinstance(found, tuple) and found[0] is not None:
        line["exception"] = found[0].__name__
        line["raised_at"] = _place(found[2])
    return line


def _place(trace: TracebackType | None) -> str:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""


def _hide_people(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A second lock: our own calls carry only ids, counts and types, but others' texts are not ours."""
    return {key: _hidden(value) for key, value in line.items()}


def _hidden(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _LINK.sub(r"/\1/…", _ADDRESS.sub("…@…", value))
