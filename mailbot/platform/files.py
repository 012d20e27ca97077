"""The platform's uploaded files, in one store or several; the store's name stands before the path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from mailbot.core.file_paths import DEFAULT_STORE, reference, store_and_path
from mailbot.core.plan import PlatformTrouble
from mailbot.platform.file_store import FileStore, Measure
from mailbot.platform.folder import FolderStore


class Files:
    """Every store by its name. `root` is the folder that is meant where no store is named."""

    def __init__(self, root: Path | None, stores: Mapping[str, FileStore] | None = None) -> None:
        folder: dict[str, FileStore] = {DEFAULT_STORE: FolderStore(root)} if root else {}
        self.stores: Mapping[str, FileStore] = {**folder, **(stores or {})}

    def is_safe(self, written: str) -> bool:
        """See FileStore.is_safe."""
        store, path = self._at(written)
        return store.is_safe(path)

    def exists(self, written: str) -> bool:
        """See FileStore.exists."""
        store, path = self._at(written)
        return store.exists(path)

    def measure(self, written: str) -> Measure:
        """See FileStore.measure."""
        store, path = self._at(written)
        return store.measure(path)

    def remove(self, written: str) -> None:
        """See FileStore.remove.

        Raises:
            PlatformTrouble: the path is not safe, or the store refuses.
        """
        store, path = self._at(written)
        if not store.is_safe(path):
            raise PlatformTrouble("an uploaded file's path leads out of the files root", later=False)
        store.remove(path)

    def names(self, written: str) -> Iterator[str]:
        """See FileStore.names; each with its store."""
        store, path = self._at(written)
        name, _ = store_and_path(written)
        return (reference(name, one) for one in store.names(path))

    def open(self, written: str) -> BinaryIO | None:
        """See FileStore.open."""
        store, path = self._at(written)
        return store.open(path)

    def _at(self, written: str) -> tuple[FileStore, str]:
        name, path = store_and_path(written)
        if name == DEFAULT_STORE and name not in self.stores:
            raise PlatformTrouble("the data map names files, but no files root is configured", later=False)
        if name not in self.stores:
            raise PlatformTrouble(
                f'the data map names the store "{name}", which is not configured', later=False
            )
        return self.stores[name], path
