"""Moving mails out of the inbox, on servers with MOVE and without, never destroying one that was not copied."""

from __future__ import annotations

from collections.abc import Sequence

from imapclient import IMAPClient

from mailbot.mail.fetch_answer import compact, expand
from mailbot.mail.imap_connection import ImapAbort, ImapError

DELETED = rb"\Deleted"


class Mover:
    """Moves mails of the selected folder of one connection.

    `copied` (UID to folder) remembers, over reconnects, what was copied but could not be removed, so that
    a later try does not copy it again.
    """

    def __init__(self, client: IMAPClient, copied: dict[int, str]) -> None:
        self._client = client
        self._copied = copied

    def move(self, uids: Sequence[int], target: str) -> None:
        """`uids` (ascending) are in `target`; those that were gone already stay gone.

        Raises: ImapError when the server refuses; then each mail is still in one of the two folders.
        """
        try:
            self._move_all(uids, target)
        except ImapAbort:
            raise
        except ImapError:
            # Some servers refuse the whole set because one of it is gone.
            left = self._present(uids)
            if len(left) == len(uids):
                raise
            if left:
                self._move_all(left, target)

    def _move_all(self, uids: Sequence[int], target: str) -> None:
        if self._client.has_capability("MOVE"):
            self._client.move(compact(uids), target)
        else:
            self._remove(self._copy(uids, target))
        self._forget_news()

    def _copy(self, uids: Sequence[int], target: str) -> list[int]:
        """The UIDs that are in `target` now: by COPYUID (RFC 4315) where the server says so, else by its OK."""
        wanted = [uid for uid in uids if self._copied.get(uid) != target]
        done = set(uids) - set(wanted)
        if wanted:
            self._client._imap.untagged_responses.pop("COPYUID", None)
            self._client.copy(compact(wanted), target)
            done |= set(self._copy_uid(wanted))
        self._copied |= dict.fromkeys(done, target)
        return sorted(done)

    def _copy_uid(self, wanted: Sequence[int]) -> Sequence[int]:
        answers = self._client._imap.response("COPYUID")[1]
        if not answers or not answers[-1]:
            # OK to COPY means that all there was is copied, and a UID that is here now was here then.
            return self._present(wanted)
        fields = answers[-1].split()
        return sorted(set(expand(fields[1])) & set(wanted))

    def _remove(self, uids: Sequence[int]) -> None:
        if not uids:
            return
        # EXPUNGE without UIDs destroys whatever is flagged: only when nothing but ours is (RFC 4549 §4.2.4).
        self._client.add_flags(compact(uids), [DELETED], silent=True)
        if self._client.has_capability("UIDPLUS"):
            self._client.expunge(compact(uids))
        elif set(self._client.search("DELETED")) <= set(uids):
            self._client.expunge()
        else:
            return
        for uid in uids:
            self._copied.pop(uid, None)

    def _present(self, uids: Sequence[int]) -> list[int]:
        return sorted(self._client.search(f"UID {compact(uids)}"))

    def _forget_news(self) -> None:
        """imaplib keeps every untagged answer for ever; a long run of moves would fill the memory."""
        for name in ("EXPUNGE", "VANISHED", "FETCH", "COPYUID"):
            self._client._imap.untagged_responses.pop(name, None)
