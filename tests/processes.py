"""Mailbots in processes of their own, which can be made to die at any step. Started from a server that has
everything imported, so that one takes a fraction of a second."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from mailbot import telling
from mailbot.app import App, build_app
from mailbot.config import parse_config
from mailbot.knowledge import load_knowledge
from mailbot.mail.inbox import Inbox
from mailbot.mail.outbox import SmtpConnection
from mailbot.mail.watch import watch
from mailbot.platform import sql
from mailbot.platform.sql import SqlPlatform
from mailbot.reading import Knowledge
from mailbot.store.database import Store, Transaction

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.processes_loaded"])


@cache
def knowledge() -> Knowledge:
    """The rules, read once in the server of processes."""
    return load_knowledge(parse_config({}, Path("config.toml")))


def start(
    folder: Path, data: Mapping[str, Any], now: datetime, *, die_at: int = 0, barrier: Any = None
) -> ForkServerProcess:
    """A process that takes in all mail and does all due work once; it kills itself at its `die_at`-th step."""
    process = CONTEXT.Process(target=_run, args=(folder, dict(data), now, die_at, barrier))
    process.start()
    return process


def _run(folder: Path, data: Mapping[str, Any], now: datetime, die_at: int, barrier: Any) -> None:
    config = parse_config(data, folder / "config.toml")
    app = build_app(config, lambda: now, knowledge())
    app.store.open()
    if die_at:
        die_at_step(die_at)
    if barrier is not None:
        barrier.wait(60)
    take_in_and_work(app)


def take_in_and_work(app: App) -> None:
    """What `run --once` does, in one thread, so that its steps have one order."""
    for box in app.config.mailboxes():
        watch(box, app.receive.batch, threading.Event(), once=True, on_state=lambda _: None)
    with SmtpConnection(app.config.smtp_settings()) as smtp:
        while app.worker.apply_due() or app.worker.send_due(smtp) or app.teller.tell_due():
            pass


def die_at_step(number: int) -> None:
    """Every way out of this process (transactions, mailbox, SMTP, platform) is two steps: before it, after it."""
    left = iter(range(number - 1, -1, -1))

    def step() -> None:
        if next(left, -1) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in (
        (Inbox, "move"),
        (SmtpConnection, "send"),
        (SqlPlatform, "_commit"),
        (SqlPlatform, "read_back"),
        (sql, "finish_files"),
        (telling, "tell"),
    ):
        setattr(owner, name, _stepping(getattr(owner, name), step))
    Store.begin = _stepping_transaction(Store.begin, step)  # type: ignore[method-assign]  # in this process only


def _stepping(real: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def stepped(*arguments: Any, **more: Any) -> Any:
        step()
        result = real(*arguments, **more)
        step()
        return result

    return stepped


def _stepping_transaction(real: Callable[[Store], Any], step: Callable[[], None]) -> Callable[[Store], Any]:
    @contextmanager
    def stepped(store: Store) -> Iterator[Transaction]:
        with real(store) as tx:
            yield tx
            tx.session.flush()
            step()
        step()

    return stepped
