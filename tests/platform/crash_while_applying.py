"""Deletes Camille's account and dies at the moment named: arguments are URL, files root, moment.

Moments of a deletion in one transaction: before_commit, after_commit, between_files. Of a large one: begun,
in_batch:N (before the commit of the N-th batch), after_batch:N.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from mailbot.core.plan import Deletion
from mailbot.demo.platform import PERSONAS
from mailbot.platform import sql, sql_batches
from mailbot.platform.files import Files
from tests.platform.worlds import NOW, example_map


def die(*_: object) -> None:
    os._exit(9)


def dying(number: int, before: Callable[..., object]) -> Callable[..., object]:
    """`before` goes well until it is called for the `number`-th time; then comes death instead."""
    calls = 0

    def call(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        return before(*arguments) if calls < number else die()

    return call


def arm(moment: str) -> None:
    name, _, number = moment.partition(":")
    remove = Files.remove

    def remove_then_die(self: Files, stored: str) -> None:
        remove(self, stored)
        die()

    match name:
        case "before_commit":
            sql.close_claim = die  # type: ignore[assignment]  # dies
        case "after_commit":
            Files.remove = die  # type: ignore[method-assign, assignment]  # dies
        case "between_files":
            Files.remove = remove_then_die  # type: ignore[method-assign]  # dies
        case "begun":
            sql_batches.finish_batch = die
        case "in_batch":
            sql_batches.add_progress = dying(int(number), sql_batches.add_progress)  # type: ignore[assignment]  # dies
        case "after_batch":  # the first call follows the beginning
            sql_batches.finish_batch = dying(int(number) + 1, sql_batches.finish_batch)  # type: ignore[assignment]  # dies


def main(url: str, files: str, moment: str) -> None:
    arm(moment)
    platform = sql.open_platform(url, example_map(), Path(files), lambda: NOW)
    plan = platform.plan(Deletion(platform.find(PERSONAS["delete_account"].address)[0]))
    platform.apply(plan, "case-1")


if __name__ == "__main__":
    main(*sys.argv[1:])
