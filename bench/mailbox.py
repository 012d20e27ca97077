"""Fresh mailboxes of the private Dovecot, filled on disk as its own LMTP would."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.servers.dovecot import Dovecot


def fill(dovecot: Dovecot, user: str, mails: Iterable[bytes]) -> int:
    """A new mailbox of `user` holds `mails` (CRLF line ends); returns how many."""
    folder = dovecot.folder / "mail" / user
    owner = (dovecot.folder / "mail").stat()
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    count = 0
    for count, raw in enumerate(mails, start=1):
        _write(folder / "new", count, raw)
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    os.sync()  # so that neither loop pays for writing what the bench put there
    return count


def _write(new: Path, number: int, raw: bytes) -> None:
    """Dovecot keeps LF line ends; S= is the size on disk, W= the size it tells (its Maildir extensions)."""
    kept = raw.replace(b"\r\n", b"\n")
    name = f"17724348{number // 100:02d}.M{number}P1.bench,S={len(kept)},W={len(raw)}"
    (new / name).write_bytes(kept)
