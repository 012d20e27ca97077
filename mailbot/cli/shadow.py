"""`mailbot rules shadow`: old mails read again, beside what staff decided. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.configured import read_config_or_defaults
from mailbot.cli.mails import Found, PlainText, RawMail, mails_in
from mailbot.cli.options import settings_of
from mailbot.cli.output import note, print_json, print_table, say
from mailbot.cli.stored import open_store, utc_now
from mailbot.cli.trouble import WrongUsage
from mailbot.config import Config
from mailbot.core.message import Unreadable
from mailbot.knowledge import load_knowledge, load_policy
from mailbot.mail.imap_reading import mails_of_folder
from mailbot.reading import Reader, Reading
from mailbot.shadowing import (
    Decided,
    Figure,
    Shadow,
    decided_by_file,
    decided_by_folders,
    decided_in,
    policy_lines,
)

STORE, FOLDERS = "store", "folders"
_IMAP = "imap:"
_MOST_BYTES = 26_214_400


def shadow(
    ctx: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH…", help=".eml, mbox, folder, or imap:MAILBOX/FOLDER of a configured mailbox."
        ),
    ],
    decisions: Annotated[
        str,
        typer.Option(
            metavar="FILE|store|folders",
            help="What staff decided: CSV or JSONL (mail, kinds), mailbot's own cases, or the names of the folders.",
        ),
    ] = STORE,
    precision: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="How often mailbot must be right where it acts alone.")
    ] = 0.95,
) -> None:
    """Read old mails beside what staff decided, and say which kinds may act alone from what confidence on."""
    config = read_config_or_defaults(ctx)
    decided = _decided(ctx, decisions)
    reader, counted, undecided = Reader(load_knowledge(config), None), Shadow(), 0
    for found in _mails(config, paths):
        reading, raw = _read(reader, found)
        kinds = decided(found.path, reading.mail.message_id, raw) if reading else None
        if reading is None or kinds is None:
            undecided += 1
        else:
            counted.add(reading, kinds)
    figures = counted.figures(precision)
    lines = policy_lines(figures, load_policy(config), precision)
    if settings_of(ctx).json:
        shown = [asdict(one) for one in figures]
        counts = {"mails": counted.mails, "without_decision": undecided}
        print_json({"ok": counted.mails > 0, **counts, "figures": shown, "policy": "\n".join(lines)})
    else:
        _say(figures, lines)
        note(
            f"{counted.mails} mails; {undecided} more are machines' mails, cannot be read, or nobody decided on them"
        )
    raise typer.Exit(0 if counted.mails else 1)


def _decided(ctx: typer.Context, decisions: str) -> Decided:
    if decisions == STORE:
        return decided_in(open_store(ctx))
    if decisions == FOLDERS:
        return decided_by_folders
    if not Path(decisions).is_file():
        raise WrongUsage(
            f"--decisions: {decisions} is no file; write {STORE}, {FOLDERS}, or a CSV or JSONL file"
        )
    return decided_by_file(Path(decisions))


def _mails(config: Config, paths: list[str]) -> Iterator[Found]:
    missing = [path for path in paths if not path.startswith(_IMAP) and not Path(path).exists()]
    if missing:
        raise WrongUsage(f"{', '.join(missing)}: no such file or folder")
    for path in paths:
        yield from _of_mailbox(config, path) if path.startswith(_IMAP) else mails_in(path, _MOST_BYTES)


def _of_mailbox(config: Config, path: str) -> Iterator[Found]:
    name, _, folder = path.removeprefix(_IMAP).partition("/")
    settings = next((box for box in config.mailboxes() if box.name == name), None)
    if settings is None:
        raise WrongUsage(f"{path}: there is no [[mailbox]] named {name!r} in the configuration")
    for uid, raw in mails_of_folder(settings, folder or settings.processed_folder):
        yield RawMail(f"{path}:{uid}", raw)


def _read(reader: Reader, found: Found) -> tuple[Reading | None, bytes]:
    match found:
        case RawMail(_, raw):
            reading = reader.read(raw, utc_now())
            is_letter = not isinstance(reading, Unreadable) and reading.automatic is None
            return (reading if is_letter and not isinstance(reading, Unreadable) else None), raw
        case PlainText(_, subject, text):
            return reader.read_text(subject, text), text.encode()
        case _:
            return None, b""


def _say(figures: list[Figure], lines: list[str]) -> None:
    columns = (
        "kind",
        "language",
        "asked",
        "read",
        "right",
        "precision",
        "surely",
        "recall",
        "acts alone from",
    )
    print_table(columns, [_row(one) for one in figures])
    say()
    for line in lines:
        say(line)


def _row(one: Figure) -> list[str]:
    alone = "never" if one.threshold is None else f"{one.threshold:.2f}"
    shares = (f"{share:.1%}" for share in (one.precision, one.precision_at_least, one.recall))
    return [one.kind, one.language, *map(str, (one.asked, one.read, one.right)), *shares, alone]
