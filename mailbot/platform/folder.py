"""Files in a folder: reached only by clean paths that stay below it, links followed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mailbot.core.file_paths import is_clean
from mailbot.core.plan import PlatformTrouble
from mailbot.platform.file_store import Measure
from mailbot.platform.interface import CheckLine, CheckStatus


class FolderStore:
    """The FileStore of one folder. Links are never followed to what they point to."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def is_safe(self, path: str) -> bool:
        """See FileStore.is_safe."""
        return self._locate(path) is not None

    def exists(self, path: str) -> bool:
        """See FileStore.exists."""
        there = self._locate(path)
        return there is not None and (there.is_symlink() or there.exists())

    def measure(self, path: str) -> Measure:
        """See FileStore.measure."""
        sizes = [one.lstat().st_size for one in self._files(path)]
        return Measure(len(sizes), sum(sizes))

    def remove(self, path: str) -> None:
        """See FileStore.remove."""
        there = self._locate(path)
        if there is None:
            raise PlatformTrouble("an uploaded file's path leads out of the files root", later=False)
        try:
            _remove(there)
        except OSError as error:
            raise PlatformTrouble(
                f"an uploaded file cannot be removed: {error.strerror}", later=True
            ) from None

    def names(self, path: str) -> Iterator[str]:
        """See FileStore.names."""
        return (str(one.relative_to(self.root)) for one in self._files(path) if not one.is_symlink())

    def open(self, path: str) -> BinaryIO | None:
        """See FileStore.open. A link is none."""
        there = self._locate(path)
        if there is None or there.is_symlink() or not there.is_file():
            return None
        return there.open("rb")

    def check(self) -> CheckLine | None:
        """See FileStore.check."""
        if self.root.is_dir():
            return None
        mend = "Create or mount it, or correct [platform]"
        return CheckLine(CheckStatus.FAILED, "the files root is not a folder", mend)

    def _files(self, path: str) -> Iterator[Path]:
        there = self._locate(path)
        if there is None:
            return
        if there.is_symlink() or there.is_file():
            yield there
            return
        for folder, _, names in os.walk(there):
            yield from (Path(folder, name) for name in sorted(names))

    def _locate(self, path: str) -> Path | None:
        """Where it is: a folder for a path that ends in "/", anything else for one that does not."""
        bare = path.removesuffix("/")
        if not is_clean(bare):
            return None
        there = self.root / bare
        parent = there.parent.resolve()
        inside = parent == self.root or self.root in parent.parents
        is_link = there.is_symlink()
        fits = is_link or there.is_dir() == path.endswith("/") or not there.exists()
        return parent / there.name if inside and fits else None


def _remove(there: Path) -> None:
    if there.is_symlink() or not there.is_dir():
        there.unlink(missing_ok=True)
    else:
        shutil.rmtree(there)
