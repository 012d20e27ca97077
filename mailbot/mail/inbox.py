"""One watched mailbox: what waits in it, the mails themselves, and the folders they are moved to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

from imapclient import IMAPClient

from mailbot.mail import imap_connection
from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.fetch_answer import Body, Item, compact, read_bodies, read_sizes
from mailbot.mail.imap_connection import (
    Connection,
    ImapAbort,
    ImapError,
    MailboxTrouble,
    open_connection,
    trouble,
)
from mailbot.mail.imap_folders import Folders
from mailbot.mail.imap_idle import await_by_idle, await_by_noop
from mailbot.mail.imap_move import Mover
from mailbot.mail.settings import MailboxSettings
from mailbot.mail.tls import protection

__all__ = ["Arrived", "Inbox", "Location", "Mail", "MailboxTrouble", "TooLarge", "Unfetchable"]

BATCH_MAILS = 50
BATCH_BYTES = 8 << 20
HEAD_BYTES = 64 << 10
UIDS_A_COMMAND = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a mail lies on its server; `uid` means nothing without `uidvalidity` (RFC 9051 §2.3.1.1)."""

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """One whole mail, as its bytes. `internal_date` is UTC."""

    location: Location
    raw: bytes
    size: int
    internal_date: datetime


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A mail above the limit: its header only, at most the first 64 KiB of it. `size` in bytes."""

    location: Location
    head: bytes
    size: int
    internal_date: datetime


@dataclass(frozen=True, slots=True)
class Unfetchable:
    """A mail that is there, but whose bytes the server does not give; `reason` holds no personal data."""

    location: Location
    reason: str


Mail = Arrived | TooLarge | Unfetchable


class Inbox:
    """A mailbox with its watched folder selected. Not for several threads at once.

    Every method raises MailboxTrouble when server or network fail; then only `connect` helps.
    """

    def __init__(self, settings: MailboxSettings, tokens: AccessTokens | None = None) -> None:
        self.settings = settings
        self._tokens = tokens or AccessTokens()
        self.uidvalidity = 0
        self._connection: Connection | None = None
        self._copied: dict[int, str] = {}
        self._news = False

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Logged in, the folders there, the watched one selected; an older connection is closed."""
        self.close()
        self._connection = open_connection(self.settings, self._tokens)
        try:
            with trouble(self.settings, "opening the folders"):
                self._folders = Folders(self._client)
                for name in (self.settings.processed_folder, self.settings.quarantine_folder):
                    self._folders.ready(name)
                self._select()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """No connection any more."""
        if self._connection is not None:
            imap_connection.close(self._connection)
            self._connection = None

    def capabilities(self) -> frozenset[str]:
        """What the server says it can do, after login, in upper case."""
        with trouble(self.settings, "CAPABILITY"):
            return frozenset(each.decode("ascii", "replace") for each in self._client.capabilities())

    def waiting(self) -> list[int]:
        """UIDs of the mails now in the folder, ascending."""
        with trouble(self.settings, "looking for mail"):
            client = self._client
            client.noop()
            untagged = client._imap.untagged_responses
            untagged.pop("EXISTS", None)
            uids = sorted(client.search("ALL"))
            # Mail that came during the search is announced beside its answer, and never again.
            self._news = _last_number(untagged.pop("EXISTS", None)) > len(uids)
            return uids

    def fetch(self, uids: Sequence[int]) -> Iterator[list[Mail]]:
        """The mails of `uids` in ascending order, at most 50 and about 8 MiB at once; nothing is marked as read.

        UIDs that are gone are passed over. A mail that makes the server fail is Unfetchable; the others come.
        """
        ordered = sorted(set(uids))
        for start in range(0, len(ordered), UIDS_A_COMMAND):
            group = ordered[start : start + UIDS_A_COMMAND]
            with trouble(self.settings, "FETCH"):
                sizes = self._each(group, self._sizes)
            for batch in _batches(group, sizes, self.settings.max_message_bytes):
                with trouble(self.settings, "FETCH"):
                    mails = self._mails(batch, sizes)
                if mails:
                    yield mails

    def move(self, uids: Sequence[int], folder: str) -> None:
        """`uids` are in `folder` (a name as in the settings), made if missing; those already gone are no matter."""
        ordered = sorted(set(uids))
        with trouble(self.settings, f"moving mail to {folder!r}"):
            mover = Mover(self._client, self._copied)
            for start in range(0, len(ordered), UIDS_A_COMMAND):
                self._move_batch(mover, ordered[start : start + UIDS_A_COMMAND], folder)

    def wait(self, seconds: float, stop: threading.Event | None = None) -> None:
        """New mail is there, or `seconds` are over, or `stop` is set (seen within a second)."""
        news, self._news = self._news, False
        if news:
            return
        with trouble(self.settings, "waiting for mail"):
            if self._client.has_capability("IDLE"):
                await_by_idle(self._open, seconds, stop)
            else:
                await_by_noop(self._client, seconds, stop)

    def check(self) -> list[str]:
        """What the server can do, a sentence each."""
        can = self.capabilities()
        lines = [
            f"logged in to {self.settings.host}:{self.settings.port}, {protection(self._client.socket())}",
            f"folder {self.settings.folder!r}: {len(self.waiting())} mails wait, UIDVALIDITY {self.uidvalidity}",
        ]
        for name in (self.settings.processed_folder, self.settings.quarantine_folder):
            lines.append(f"folder {name!r} is {self._folders.ready(name)!r} on the server")
        lines.append(
            "new mail is told by IDLE" if "IDLE" in can else "no IDLE: new mail is seen by polling only"
        )
        lines.append(_moving(can))
        return lines

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            text = f"mailbox {self.settings.name!r}, {self.settings.host}: not connected"
            raise MailboxTrouble(text, later=True)
        return self._connection

    @property
    def _client(self) -> IMAPClient:
        return self._open.client

    def _select(self) -> None:
        name = self._folders.ready(self.settings.folder)
        answer = self._client.select_folder(name)
        validity = int(answer[b"UIDVALIDITY"])
        if validity != self.uidvalidity:
            self._copied.clear()
        self.uidvalidity = validity
        if b"READ-ONLY" in answer:
            where = f"mailbox {self.settings.name!r}, {self.settings.host}, folder {name!r}"
            raise MailboxTrouble(
                f"{where}: is read-only; give this user the right to move mails", later=False
            )

    def _location(self, uid: int) -> Location:
        return Location(self.settings.name, self.settings.folder, self.uidvalidity, uid)

    def _mails(self, uids: Sequence[int], sizes: dict[int, int | Unfetchable]) -> list[Mail]:
        limit = self.settings.max_message_bytes
        large = [uid for uid in uids if _is_above(sizes.get(uid), limit)]
        whole = [uid for uid in uids if isinstance(sizes.get(uid), int) and uid not in large]
        found: dict[int, Body | Unfetchable] = self._each(whole, self._bodies) | self._each(
            large, self._heads
        )
        for uid, size in sizes.items():
            if isinstance(size, Unfetchable) and uid in uids:
                found[uid] = size
        silent = [uid for uid in uids if uid not in found]
        if silent:
            reason = "the server gives no bytes for it"
            found |= {uid: Unfetchable(self._location(uid), reason) for uid in self._present(silent)}
        return [self._mail(uid, found[uid], sizes.get(uid)) for uid in uids if uid in found]

    def _mail(self, uid: int, body: Body | Unfetchable, size: int | Unfetchable | None) -> Mail:
        if isinstance(body, Unfetchable):
            return body
        date = body.internal_date or datetime.now(UTC)
        limit = self.settings.max_message_bytes
        if isinstance(size, int) and size > limit:
            return TooLarge(self._location(uid), body.octets[:HEAD_BYTES], size, date)
        if len(body.octets) > limit:  # RFC822.SIZE is an estimate on some servers
            return TooLarge(self._location(uid), body.octets[:HEAD_BYTES], len(body.octets), date)
        return Arrived(self._location(uid), body.octets, len(body.octets), date)

    def _each(
        self, uids: Sequence[int], ask: Callable[[Sequence[int]], Mapping[int, T]]
    ) -> dict[int, T | Unfetchable]:
        """Answers by UID. One mail that breaks the command, or the connection, is found out by asking one by one."""
        if not uids:
            return {}
        try:
            return dict(ask(uids))
        except (ImapError, OSError) as error:
            self._recover(error)
        answers: dict[int, T | Unfetchable] = {}
        for uid in uids:
            answers.update(self._single(uid, ask))
        return answers

    def _single(
        self, uid: int, ask: Callable[[Sequence[int]], Mapping[int, T]], tries: int = 2
    ) -> dict[int, T | Unfetchable]:
        reason = ""
        for _ in range(tries):
            try:
                return dict(ask([uid]))
            except (ImapError, OSError) as error:
                reason = (
                    f"the server fails on it ({type(error).__name__}{imap_connection.response_code(error)})"
                )
                self._recover(error)
        return {uid: Unfetchable(self._location(uid), reason)}

    def _recover(self, error: Exception) -> None:
        """The connection can be used again. Raises: MailboxTrouble when it cannot, or the folder is another now."""
        if isinstance(error, ImapError) and not isinstance(error, ImapAbort):
            return
        before = self.uidvalidity
        self.connect()
        if self.uidvalidity != before:
            where = f"mailbox {self.settings.name!r}, {self.settings.host}"
            raise MailboxTrouble(f"{where}: the folder was made anew meanwhile", later=True)

    def _sizes(self, uids: Sequence[int]) -> dict[int, int]:
        return read_sizes(self._ask(uids, "(UID RFC822.SIZE)"))

    def _heads(self, uids: Sequence[int]) -> dict[int, Body]:
        return read_bodies(self._ask(uids, f"(UID INTERNALDATE BODY.PEEK[HEADER]<0.{HEAD_BYTES}>)"))

    def _bodies(self, uids: Sequence[int]) -> dict[int, Body]:
        bodies = read_bodies(self._ask(uids, "(UID INTERNALDATE BODY.PEEK[])"))
        odd = [uid for uid in uids if uid not in bodies]
        return bodies | self._bodies_slowly(odd) if odd else bodies

    def _bodies_slowly(self, uids: Sequence[int]) -> dict[int, Body]:
        """By IMAPClient's own parser, for answers in shapes that are rare (quoted strings, several literals)."""
        bodies: dict[int, Body] = {}
        try:
            answers = self._client.fetch(list(uids), ["INTERNALDATE", "BODY.PEEK[]"])
        except (ValueError, LookupError, AttributeError, TypeError, AssertionError):
            return bodies  # its parser meets odd answers with these; the mails are told as unfetchable
        for uid, values in answers.items():
            octets, date = values.get(b"BODY[]"), values.get(b"INTERNALDATE")
            if isinstance(octets, bytes):
                bodies[int(uid)] = Body(octets, date.astimezone(UTC) if date else None)
        return bodies

    def _ask(self, uids: Sequence[int], what: str) -> list[Item]:
        """imaplib's answer to UID FETCH. IMAPClient's parser takes longer, and one odd answer spoils the batch."""
        status, items = self._client._imap.uid("FETCH", compact(uids), what)
        if status != "OK":
            raise ImapError(f"FETCH {items!r}")
        return list(items)

    def _present(self, uids: Sequence[int]) -> list[int]:
        return sorted(set(self._client.search(f"UID {compact(uids)}")) & set(uids))

    def _move_batch(self, mover: Mover, uids: Sequence[int], folder: str) -> None:
        try:
            mover.move(uids, self._folders.ready(folder))
        except ImapAbort:
            raise
        except ImapError:
            # Removed by somebody since we made it: some servers say TRYCREATE, some only NO.
            mover.move(uids, self._folders.made_again(folder))


def _batches(uids: Sequence[int], sizes: dict[int, int | Unfetchable], limit: int) -> Iterator[list[int]]:
    """Neighbours whose bytes fit in the memory meant for them; a mail above the limit costs its head only."""
    batch: list[int] = []
    room = BATCH_BYTES
    for uid in uids:
        size = sizes.get(uid, 0)
        cost = 0 if isinstance(size, Unfetchable) else min(size, HEAD_BYTES) if size > limit else size
        if batch and (len(batch) == BATCH_MAILS or cost > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(uid)
        room -= cost
    if batch:
        yield batch


def _is_above(size: int | Unfetchable | None, limit: int) -> bool:
    return isinstance(size, int) and size > limit


def _last_number(values: Sequence[bytes] | None) -> int:
    return int(values[-1]) if values and values[-1].isdigit() else 0


def _moving(can: frozenset[str]) -> str:
    if "MOVE" in can:
        return "mails are moved by MOVE"
    if "UIDPLUS" in can:
        return "no MOVE: mails are moved by COPY and UID EXPUNGE"
    return "neither MOVE nor UIDPLUS: a mail is removed only while no other one is marked as deleted"
