"""The mails of one folder, read and left as they are."""

from __future__ import annotations

from collections.abc import Iterator

from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.imap_connection import close, open_connection, trouble
from mailbot.mail.imap_folders import Folders
from mailbot.mail.settings import MailboxSettings


def mails_of_folder(settings: MailboxSettings, folder: str) -> Iterator[tuple[int, bytes]]:
    """UID and bytes of each mail in `folder` that is not larger than what is taken in. The folder is opened to be
    read only (EXAMINE, RFC 9051 §6.3.3), and nothing in it is marked as seen.

    Raises: MailboxTrouble.
    """
    connection = open_connection(settings, AccessTokens())
    client = connection.client
    try:
        with trouble(settings, "reading a folder"):
            client.select_folder(Folders(client).there(folder), readonly=True)
            sizes = client.fetch(client.search("ALL"), ["RFC822.SIZE"])
            for uid in sorted(sizes):
                if sizes[uid][b"RFC822.SIZE"] <= settings.max_message_bytes:
                    fetched = client.fetch([uid], ["BODY.PEEK[]"])
                    yield uid, fetched[uid][b"BODY[]"]
    finally:
        close(connection)
