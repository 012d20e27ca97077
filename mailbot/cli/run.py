"""`mailbot run`: the service."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Annotated

import structlog
import typer
import uvicorn

from mailbot.app import App
from mailbot.cli.opened import open_app
from mailbot.cli.options import settings_of
from mailbot.cli.output import print_json, say
from mailbot.cli.trouble import Failed, WrongUsage
from mailbot.config import Config, listen_address
from mailbot.service import Service, Summary
from mailbot.web.server import create_server
from mailbot.web.site import create_site

app = typer.Typer(add_completion=False)

PARTS = ("mail", "web", "schedule")
_BACKLOG = 512
_log = structlog.get_logger()


@app.command()
def run(
    ctx: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Take in, do and send everything that is due now, then end.")
    ] = False,
    only: Annotated[
        str, typer.Option(metavar="PART,…", help="Only these of: mail, web, schedule.", show_default=False)
    ] = "",
) -> None:
    """The service: takes mail in, does what is due, answers; serves the web pages. SIGTERM ends it cleanly."""
    parts = _parts(only)
    program = open_app(ctx)
    _look_up_secrets(program.config, parts)
    if once:
        _run_once(program, parts, json_output=settings_of(ctx).json)
    else:
        _run_on(program, parts)


def _parts(only: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(part.strip() for part in only.split(",") if part.strip()))
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        raise WrongUsage(f"--only: unknown part {', '.join(unknown)}; known are {', '.join(PARTS)}")
    return wanted or PARTS


def _look_up_secrets(config: Config, parts: tuple[str, ...]) -> None:
    """A secret that is missing is told at the start, not at the first mail. Raises ConfigTrouble."""
    if "mail" in parts:
        config.mailboxes()
        config.smtp_settings()
        if config.lmtp.listen:
            listen_address(config.lmtp.listen, "lmtp.listen")
    if "web" in parts:
        config.api_key()
        listen_address(config.web.listen)


def _run_once(program: App, parts: tuple[str, ...], *, json_output: bool) -> None:
    with _signals(_interrupt):
        summary = Service(program).run_once(parts)
    if json_output:
        print_json(asdict(summary))
    else:
        say(_sentence(summary))
    raise typer.Exit(1 if summary.failed else 0)


def _sentence(done: Summary) -> str:
    return (
        f"{done.received} mails taken in ({done.duplicates} duplicates, {done.quarantined} quarantined), "
        f"{done.cases_opened} cases opened, {done.changes_applied} changes applied, {done.replies_sent} replies "
        f"sent, {done.failed} failed; {done.seconds} s"
    )


def _run_on(program: App, parts: tuple[str, ...]) -> None:
    """Until a signal comes; then every part finishes what it has in hand."""
    service = Service(program)
    with ExitStack() as stack:
        serve: _Serving | _Waiting = _server(program, service, stack) if "web" in parts else _Waiting()
        stack.enter_context(_signals(lambda _number, _frame: serve.end()))
        service.start(parts, stack)
        _log.info("running", parts=",".join(parts))
        serve.until_ended()
        _log.info("stopping")
    _log.info("stopped")


class _Waiting:
    """What the main thread does without web pages: nothing, until it ends."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def end(self) -> None:
        self._ended.set()

    def until_ended(self) -> None:
        self._ended.wait()


class _Serving:
    """The web pages in the main thread. Uvicorn takes signals while it runs, and raises them again after it."""

    def __init__(self, server: uvicorn.Server, sock: socket.socket) -> None:
        self._server = server
        self._sock = sock

    def end(self) -> None:
        self._server.should_exit = True

    def until_ended(self) -> None:
        self._server.run(sockets=[self._sock])


def _server(program: App, service: Service, stack: ExitStack) -> _Serving:
    """The pages, their port open already, so that one that is taken is told before anything starts."""
    sock = stack.enter_context(closing(_listening(program.config)))
    server = create_server(create_site(program.parts(service.health)), program.config)
    _log.info("web pages", listen="{}:{}".format(*sock.getsockname()[:2]))
    return _Serving(server, sock)


def _listening(config: Config) -> socket.socket:
    host, port = listen_address(config.web.listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Failed(
            f"web.listen: {config.web.listen} cannot be listened on ({why}): name another one"
        ) from None


@contextmanager
def _signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """SIGTERM and SIGINT go to `handler` inside, the first time; a second one ends the process at once."""

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        handler(number, frame)

    before = {number: signal.signal(number, first) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
