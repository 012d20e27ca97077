"""Keeping one mailbox watched: for ever, through dropped connections and failing surroundings."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.imap_connection import MailboxTrouble
from mailbot.mail.inbox import Inbox, Mail
from mailbot.mail.settings import MailboxSettings

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
FAILURES_IN_A_ROW = 3
"""So many batches failing one after the other means that the surroundings are broken, not the mails."""

Handle = Callable[[Inbox, list[Mail]], None]
"""Stores the mails, then moves them by `inbox.move`. What it leaves in the folder, it is handed again later."""

Expect = Callable[[list[Mail]], None]
"""Told of the mails that will be handled next, before those at hand are."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WatchState:
    """How fresh our picture of one mailbox is. Times are UTC; no personal data."""

    mailbox: str
    connected: bool = False
    last_success: datetime | None = None
    """When the folder was last looked at and all that was due was handled without trouble."""
    last_trouble: str = ""
    last_trouble_at: datetime | None = None
    failures: int = 0
    """In a row, since the last success."""
    waiting: int = 0
    """Mails that are in the folder, all tries so far included."""


OnState = Callable[[WatchState], None]


def watch(
    settings: MailboxSettings,
    handle: Handle,
    stop: threading.Event,
    once: bool,
    on_state: OnState,
    expect: Expect = lambda _: None,
    tokens: AccessTokens | None = None,
) -> None:
    """Everything that comes into the mailbox is handed to `handle`, until `stop` is set.

    `once`: everything that waits now, one time; then it returns.

    Raises: only with `once`: MailboxTrouble at once, and the first exception of `handle` at the end.
    """
    watcher = _Watcher(settings, handle, stop, on_state, expect, tokens or AccessTokens())
    if once:
        watcher.once()
    else:
        watcher.forever()


def pause_seconds(failures: int, luck: float) -> float:
    """How long to wait after `failures` (from 1 on) in a row; `luck` is 0..1 and spreads many watchers."""
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 20))
    return longest * (0.5 + luck / 2)


@dataclass(slots=True)
class _Patience:
    """Which mails were tried in vain, and when they are due again (monotonic seconds)."""

    uidvalidity: int = 0
    tried: dict[int, tuple[int, float]] = field(default_factory=dict)

    def due(self, inbox: Inbox, waiting: Sequence[int], now: float) -> tuple[list[int], list[int]]:
        """Mails for the first time, and mails to be tried again; forgets those that are gone."""
        if inbox.uidvalidity != self.uidvalidity:
            self.uidvalidity, self.tried = inbox.uidvalidity, {}
        self.tried = {uid: self.tried[uid] for uid in waiting if uid in self.tried}
        again = [uid for uid, (_, due) in self.tried.items() if due <= now]
        return [uid for uid in waiting if uid not in self.tried], again

    def note(self, mails: Sequence[Mail], now: float) -> None:
        """These were handed over: should they still be there, they are not due at once."""
        for mail in mails:
            tries = self.tried.get(mail.location.uid, (0, 0.0))[0] + 1
            self.tried[mail.location.uid] = tries, now + pause_seconds(tries, random.random())  # noqa: S311  # no secret

    def next_due(self, now: float, at_most: float) -> float:
        """Seconds until the first is due again."""
        return max(0.0, min([at_most, *(due - now for _, due in self.tried.values())]))


class _Watcher:
    def __init__(
        self,
        settings: MailboxSettings,
        handle: Handle,
        stop: threading.Event,
        on_state: OnState,
        expect: Expect,
        tokens: AccessTokens,
    ) -> None:
        self._settings = settings
        self._handle = handle
        self._stop = stop
        self._on_state = on_state
        self._expect = expect
        self._tokens = tokens
        self._state = WatchState(settings.name)
        self._patience = _Patience()
        self._failed: Exception | None = None
        self._last_handing_failed = False

    def once(self) -> None:
        try:
            with Inbox(self._settings, self._tokens) as inbox:
                self._say(connected=True)
                self._pass(inbox)
        except (MailboxTrouble, OSError) as trouble:
            self._say_trouble(trouble, str(trouble))
            raise
        if self._failed is not None:
            raise self._failed
        self._say_success()

    def forever(self) -> None:
        while not self._stop.is_set():
            try:
                with Inbox(self._settings, self._tokens) as inbox:
                    self._say(connected=True)
                    self._serve(inbox)
            except MailboxTrouble as trouble:
                self._say_trouble(trouble, str(trouble))
                # Trying a wrong password again and again gets the account locked.
                self._pause(self._state.failures if trouble.later else self._state.failures + 6)
            except Exception as error:  # noqa: BLE001  # a watcher that dies quietly loses mail; this one starts afresh
                self._say_trouble(error, f"mailbox {self._settings.name!r}: {type(error).__name__}")
                self._pause(self._state.failures)

    def _serve(self, inbox: Inbox) -> None:
        """Returns only when stopped."""
        while not self._stop.is_set():
            if self._pass(inbox):
                continue
            if self._failed is not None:
                self._pause(self._state.failures)
                continue
            if not (self._last_handing_failed and self._patience.tried):
                self._say_success()
            now = time.monotonic()
            inbox.wait(self._patience.next_due(now, self._settings.poll_seconds), self._stop)

    def _pass(self, inbox: Inbox) -> bool:
        """All that is due was handed over. True when something was, and nothing failed: there may be more."""
        self._failed = None
        waiting = inbox.waiting()
        self._say(waiting=len(waiting))
        fresh, again = self._patience.due(inbox, waiting, time.monotonic())
        in_a_row = 0
        for mails, coming in _with_next(self._batches(inbox, fresh, again)):
            if coming:
                self._expect(coming)
            in_a_row = 0 if self._hand_over(inbox, mails) else in_a_row + 1
            if self._stop.is_set() or in_a_row >= FAILURES_IN_A_ROW:
                break
        return bool(fresh or again) and self._failed is None

    def _batches(self, inbox: Inbox, fresh: list[int], again: list[int]) -> Iterator[list[Mail]]:
        """New mail first, in batches; then those that failed, one by one, so that one bad mail spoils no other."""
        yield from inbox.fetch(fresh)
        for uid in again:
            yield from inbox.fetch([uid])

    def _hand_over(self, inbox: Inbox, mails: list[Mail]) -> bool:
        self._patience.note(mails, time.monotonic())
        try:
            self._handle(inbox, mails)
        except MailboxTrouble:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the other mails must not suffer from it
            # Only the type: the text of an exception may quote the mail.
            log.error("mail.handling_failed", mailbox=self._settings.name, error=type(error).__name__)
            self._failed = self._failed or error
            self._last_handing_failed = True
            text = f"mailbox {self._settings.name!r}: handling mail failed ({type(error).__name__})"
            self._say_trouble(error, text, connected=True)
            return False
        self._last_handing_failed = False
        return True

    def _pause(self, failures: int) -> None:
        self._stop.wait(pause_seconds(max(1, failures), random.random()))  # noqa: S311  # no secret

    def _say(self, **changes: object) -> None:
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]  # fields of WatchState
        self._on_state(self._state)

    def _say_success(self) -> None:
        self._say(connected=True, last_success=datetime.now(UTC), failures=0)

    def _say_trouble(self, error: Exception, text: str, *, connected: bool = False) -> None:
        log.warning("mail.trouble", mailbox=self._settings.name, error=type(error).__name__, text=text)
        self._say(
            connected=connected,
            last_trouble=text,
            last_trouble_at=datetime.now(UTC),
            failures=self._state.failures + 1,
        )


def _with_next(batches: Iterator[list[Mail]]) -> Iterator[tuple[list[Mail], list[Mail]]]:
    """Each batch with the next one, fetched already (empty after the last). What fetching raises is raised when the
    batches before it were handled."""
    mails = next(batches, [])
    while mails:
        trouble: Exception | None = None
        coming: list[Mail] = []
        try:
            coming = next(batches, [])
        except Exception as error:  # noqa: BLE001  # raised below
            trouble = error
        yield mails, coming
        if trouble is not None:
            raise trouble
        mails = coming
