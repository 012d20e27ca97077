"""Deletes Camille's account and dies at the moment named: arguments are URL, files root, moment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mailbot.core.plan import Deletion
from mailbot.demo.platform import PERSONAS
from mailbot.platform import sql
from mailbot.platform.files import Files
from tests.platform.worlds import NOW, example_map


def die(*_: object) -> None:
    os._exit(9)


def main(url: str, files: str, moment: str) -> None:
    remove = Files.remove

    def remove_then_die(self: Files, stored: str) -> None:
        remove(self, stored)
        die()

    if moment == "before_commit":
        sql.close_claim = die
    else:
        Files.remove = die if moment == "after_commit" else remove_then_die  # type: ignore[method-assign]  # dies
    platform = sql.open_platform(url, example_map(), Path(files), lambda: NOW)
    plan = platform.plan(Deletion(platform.find(PERSONAS["delete_account"].address)[0]))
    platform.apply(plan, "case-1")


if __name__ == "__main__":
    main(*sys.argv[1:])
