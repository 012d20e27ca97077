"""The stores of files that are configured, ready to be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mailbot.platform.file_store import FileStore, S3Settings
from mailbot.platform.folder import FolderStore

StoreSettings = Path | S3Settings
"""A folder, or a bucket."""


def open_stores(settings: Mapping[str, StoreSettings]) -> dict[str, FileStore]:
    """Each store by its name; nothing is contacted yet.

    Raises:
        ModuleNotFoundError: a bucket is configured, and the extra `s3` is not installed.
    """
    return {name: _opened(one) for name, one in settings.items()}


def _opened(settings: StoreSettings) -> FileStore:
    if isinstance(settings, Path):
        return FolderStore(settings)
    from mailbot.platform.s3 import S3Store  # noqa: PLC0415  # needs boto3, which is an extra

    return S3Store(settings)
