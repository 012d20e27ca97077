"""Uploaded files of the platform: reached only by clean paths that stay below one folder."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import BinaryIO

from mailbot.core.plan import PlatformTrouble


class Files:
    """The folder that paths stored in the database are relative to."""

    def __init__(self, root: Path | None) -> None:
        self.root = root.resolve() if root else None

    def is_safe(self, stored: str) -> bool:
        """`stored` is a clean relative path that, links in it followed, stays below the root."""
        return self._locate(stored) is not None

    def exists(self, stored: str) -> bool:
        """A file is there. A path that leads out of the root counts as nothing."""
        path = self._locate(stored)
        return path is not None and (path.is_symlink() or path.exists())

    def remove(self, stored: str) -> None:
        """The file is gone, and was perhaps before. A link is removed itself, never what it points to.

        Raises:
            PlatformTrouble: the path is not safe, or the file system refuses.
        """
        path = self._locate(stored)
        if path is None:
            raise PlatformTrouble("an uploaded file's path leads out of the files root", later=False)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise PlatformTrouble(
                f"an uploaded file cannot be removed: {error.strerror}", later=True
            ) from None

    def open(self, stored: str) -> BinaryIO | None:
        """The file, opened to read; None when there is none or it is a link."""
        path = self._locate(stored)
        if path is None or path.is_symlink() or not path.is_file():
            return None
        return path.open("rb")

    def _locate(self, stored: str) -> Path | None:
        if self.root is None:
            raise PlatformTrouble("the data map names files, but no files root is configured", later=False)
        if not _is_clean(stored):
            return None
        path = self.root / stored
        parent = path.parent.resolve()
        inside = parent == self.root or self.root in parent.parents
        is_folder = path.is_dir() and not path.is_symlink()
        return parent / path.name if inside and not is_folder else None


def _is_clean(stored: str) -> bool:
    """Nothing in the path goes up, is absolute, or could be spelled in another way."""
    if not stored or "\0" in stored or "\\" in stored or stored.startswith("/"):
        return False
    return posixpath.normpath(stored) == stored and stored.split("/")[0] not in ("..", ".")
