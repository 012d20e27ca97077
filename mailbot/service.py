"""The running service: one thread a mailbox, one that sends, one that applies, a clock, the web pages.

Each part only asks the database what is due; parts may run in several processes.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from mailbot.config import Config
from mailbot.core.plan import PlatformTrouble
from mailbot.door import open_door
from mailbot.followups import FollowUps
from mailbot.looking import Looking
from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.inbox import Inbox, Mail, MailboxTrouble
from mailbot.mail.outbox import SmtpConnection
from mailbot.mail.settings import MailboxSettings
from mailbot.mail.watch import WatchState, watch
from mailbot.platform.interface import Platform
from mailbot.reading_ahead import ReadingAhead
from mailbot.receive import Receive
from mailbot.scheduler import start_scheduler
from mailbot.seeking import Seeking
from mailbot.senders import Senders
from mailbot.store import works
from mailbot.store.database import Store
from mailbot.sweeping import Sweeping
from mailbot.telling import Teller
from mailbot.web.parts import Health
from mailbot.work import Worker

_log = structlog.get_logger()
_IDLE_SECONDS = 1.0
_PAUSE_AFTER_TROUBLE_SECONDS = 5.0
_LATE_WORK = timedelta(minutes=15)


def _settle_memory() -> None:
    """Rules and models stay as long as the process: the collector does not walk through them again and again."""
    gc.collect()
    gc.freeze()


class Parts(Protocol):
    """What the service runs; mailbot.app.App is one."""

    @property
    def config(self) -> Config: ...
    @property
    def clock(self) -> Callable[[], datetime]: ...
    @property
    def store(self) -> Store: ...
    @property
    def tokens(self) -> AccessTokens: ...
    @property
    def platform(self) -> Platform: ...
    @property
    def receive(self) -> Receive: ...
    @property
    def worker(self) -> Worker: ...
    @property
    def senders(self) -> Senders: ...
    @property
    def seeking(self) -> Seeking: ...
    @property
    def teller(self) -> Teller: ...
    @property
    def follow_ups(self) -> FollowUps: ...
    @property
    def looking(self) -> Looking: ...
    @property
    def sweeping(self) -> Sweeping: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What one run did; the keys of `mailbot run --json`."""

    received: int
    duplicates: int
    quarantined: int
    cases_opened: int
    replies_sent: int
    changes_applied: int
    failed: int
    seconds: float


class Service:
    """Runs the parts until stopped, or once."""

    def __init__(self, app: Parts) -> None:
        self._app = app
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._states: dict[str, WatchState] = {}
        self._swept_at: datetime | None = None

    def run_once(self, parts: Sequence[str]) -> Summary:
        """Everything waiting is taken in, all due work is done, all due mail is sent, due sweeps are run."""
        started, troubles = time.monotonic(), 0
        _settle_memory()
        if "mail" in parts:
            troubles = self._take_in_and_send()
        if "schedule" in parts:
            self._app.follow_ups.sweep()
            self._app.sweeping.sweep_due()
        with SmtpConnection(self._app.config.smtp_settings(), tokens=self._app.tokens) as smtp:
            while self._do_due() or ("mail" in parts and self._app.worker.send_due(smtp)):
                pass
        return self._summary(time.monotonic() - started, troubles)

    def start(self, parts: Sequence[str], stack: ExitStack) -> None:
        """The parts run in threads until `stack` is closed."""
        _settle_memory()
        stack.callback(self._join, self._start_threads(parts))
        stack.callback(self._stop.set)
        if "schedule" in parts:
            scheduler = start_scheduler(self._sweep)
            stack.callback(scheduler.shutdown)
            self._sweep()
        if "mail" in parts and self._app.config.lmtp.listen:
            door = open_door(self._app, self._wake.set)
            door.start()
            stack.callback(door.stop)

    def health(self) -> Health:
        """Whether intake, outbox and clock are alive."""
        parts = {
            **{f"intake:{name}": self._intake(state) for name, state in self._states.items()},
            "outbox": self._outbox(),
        }
        if self._swept_at is not None:
            late = self._app.clock() - self._swept_at > timedelta(minutes=5)
            parts["clock"] = "the last sweep is more than five minutes ago" if late else "ok"
        looked = [state.last_success for state in self._states.values() if state.last_success]
        return Health(all(said == "ok" for said in parts.values()), parts, min(looked, default=None))

    def _start_threads(self, parts: Sequence[str]) -> list[threading.Thread]:
        targets: list[tuple[str, Callable[[], None]]] = []
        if "mail" in parts:
            for box in self._app.config.mailboxes():
                targets.append((f"intake {box.name}", lambda box=box: self._watch(box)))  # type: ignore[misc]  # the default binds the loop's value
            targets.append(("outbox", self._send_for_ever))
        if "schedule" in parts or "mail" in parts:
            targets.append(("work", self._apply_for_ever))
            targets.append(("senders", self._judge_for_ever))
        threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in targets]
        for thread in threads:
            thread.start()
        return threads

    def _join(self, threads: Sequence[threading.Thread]) -> None:
        for thread in threads:
            thread.join(20)

    def _take_in_and_send(self) -> int:
        """Sending goes on beside fetching and applying; returns how many mailboxes could not be read."""
        troubles = 0
        with ReadingAhead(self._app.receive.reader) as self._app.receive.ahead:
            troubles = self._take_in_beside_sending()
        self._app.receive.ahead = None
        return troubles

    def _take_in_beside_sending(self) -> int:
        troubles = 0
        sender = threading.Thread(target=self._send_for_ever, name="outbox")
        sender.start()
        try:
            for box in self._app.config.mailboxes():
                try:
                    watch(
                        box,
                        self._handle,
                        self._stop,
                        once=True,
                        on_state=self._note,
                        expect=self._app.receive.expect,
                        tokens=self._app.tokens,
                    )
                except (MailboxTrouble, OSError) as trouble:
                    _log.error("a mailbox could not be read", mailbox=box.name, trouble=str(trouble))
                    troubles += 1
                except Exception as error:  # noqa: BLE001  # a mail stays where it is; the rest goes on
                    _log.error("a mail could not be stored", mailbox=box.name, error=type(error).__name__)
                    troubles += 1
            while self._do_due():
                self._wake.set()
        finally:
            self._stop.set()
            self._wake.set()
            sender.join()
            self._stop.clear()
        return troubles

    def _do_due(self) -> int:
        """A few pieces of all due work but sending were done; returns how many."""
        app = self._app
        return sum(
            do() for do in (app.worker.apply_due, app.seeking.seek_due, app.looking.look_due, *self._late())
        )

    def _late(self) -> tuple[Callable[[], int], ...]:
        """What may hang on DNS, on recipients of data, or take its time: nothing else waits for it."""
        return self._app.senders.judge_due, self._app.receive.let_in_due, self._app.teller.tell_due

    def _watch(self, box: MailboxSettings) -> None:
        watch(box, self._handle, self._stop, once=False, on_state=self._note, tokens=self._app.tokens)

    def _handle(self, inbox: Inbox, mails: list[Mail]) -> None:
        self._app.receive.batch(inbox, mails)
        self._wake.set()

    def _note(self, state: WatchState) -> None:
        self._states[state.mailbox] = state

    def _send_for_ever(self) -> None:
        with SmtpConnection(self._app.config.smtp_settings(), tokens=self._app.tokens) as smtp:
            self._loop(lambda: self._app.worker.send_due(smtp))

    def _apply_for_ever(self) -> None:
        try:
            self._app.platform.finish_open()
        except PlatformTrouble as trouble:  # what is open is finished when its work is done again
            _log.error("the platform fails", trouble=str(trouble))
        app = self._app
        self._loop(lambda: app.worker.apply_due() + app.seeking.seek_due() + app.looking.look_due())

    def _judge_for_ever(self) -> None:
        self._loop(lambda: sum(do() for do in self._late()))

    def _loop(self, work: Callable[[], int]) -> None:
        """Work is done as long as there is some; then a short wait, cut short by news."""
        while not self._stop.is_set():
            try:
                did = work()
            except Exception as error:  # noqa: BLE001  # a thread that dies quietly leaves all work undone
                _log.error("work failed; it is tried again", error=type(error).__name__)
                self._stop.wait(_PAUSE_AFTER_TROUBLE_SECONDS)
                continue
            if not did:
                self._wake.wait(_IDLE_SECONDS)
                self._wake.clear()

    def _sweep(self) -> None:
        try:
            self._app.follow_ups.sweep()
            self._swept_at = self._app.clock()
            self._app.sweeping.sweep_due()
        except SQLAlchemyError as error:
            _log.error("the sweep failed", error=type(error).__name__)

    def _intake(self, state: WatchState) -> str:
        late = timedelta(minutes=10)
        if state.last_success and self._app.clock() - state.last_success < late:
            return "ok"
        return state.last_trouble or "mail has not been looked for in ten minutes"

    def _outbox(self) -> str:
        try:
            with self._app.store.read() as tx:
                oldest = works.oldest_due(tx)
        except SQLAlchemyError as error:
            return f"the database fails ({type(error).__name__})"
        if oldest is None or self._app.clock() - oldest < _LATE_WORK:
            return "ok"
        return "work is due for more than a quarter of an hour"

    def _summary(self, seconds: float, troubles: int) -> Summary:
        taken, done = self._app.receive.count, self._app.worker.done
        return Summary(
            taken.received,
            taken.duplicates,
            taken.quarantined,
            taken.cases_opened,
            done.replies_sent,
            done.changes_applied,
            done.failed + troubles,
            round(seconds, 3),
        )
