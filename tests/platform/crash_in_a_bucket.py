"""Deletes Camille's account and dies when half of what is in the bucket is gone: URL, files root, S3, bucket."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from mailbot.core.plan import Deletion
from mailbot.demo.platform import PERSONAS
from mailbot.platform import s3
from mailbot.platform.file_store import S3Settings
from mailbot.platform.sql import open_platform
from tests.platform.test_files_in_buckets import MAP, map_of
from tests.platform.worlds import NOW


def main(url: str, files: str, endpoint: str, bucket: str) -> None:
    settings = S3Settings(
        "uploads", bucket, endpoint, "eu-north-1", True, access_key="key", secret_key="secret"
    )
    store = s3.S3Store(replace(settings, page_size=2))
    delete = store._delete

    def delete_then_die(page: object) -> None:
        delete(page)  # type: ignore[arg-type]  # passed on
        os._exit(9)

    store._delete = delete_then_die  # type: ignore[method-assign,assignment]  # dies
    platform = open_platform(url, map_of(MAP), Path(files), lambda: NOW, {"uploads": store})
    plan = platform.plan(Deletion(platform.find(PERSONAS["delete_account"].address)[0]))
    platform.apply(plan, "case-1")


if __name__ == "__main__":
    main(*sys.argv[1:])
