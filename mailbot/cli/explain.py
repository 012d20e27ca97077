"""`mailbot explain`: what would be done with mails, and why. Changes nothing, needs no database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.configured import read_config_or_defaults, resolver
from mailbot.cli.mails import STDIN, Found, PlainText, RawMail, Unavailable, mails_in
from mailbot.cli.options import settings_of
from mailbot.cli.output import print_json, say
from mailbot.cli.trouble import WrongUsage
from mailbot.config import Config
from mailbot.core.message import Unreadable
from mailbot.knowledge import attachment_reader, load_knowledge
from mailbot.reading import Reader, as_json, unreadable_json

app = typer.Typer(add_completion=False)

_LONGEST_QUOTE = 600
_DEFAULT_MOST_BYTES = 26_214_400


@app.command()
def explain(
    ctx: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH…", help=".eml, .txt (a plain letter), mbox, folder, or - for standard input."
        ),
    ],
    no_dns: Annotated[
        bool, typer.Option("--no-dns", help="Ask no DNS: signatures count as not verifiable.")
    ] = False,
) -> None:
    """What mailbot would do with these mails, and why. Changes nothing, needs no database."""
    _must_exist(paths)
    config = read_config_or_defaults(ctx)
    lookup_txt = None if no_dns else resolver(config).txt
    knowledge = load_knowledge(config)
    reader = Reader(knowledge, lookup_txt, attachment_reader(config, knowledge))
    show = print_json if settings_of(ctx).json else _print_readable
    for path in paths:
        for found in mails_in(path, _most_bytes(config)):
            show(_explained(reader, found))


def _must_exist(paths: list[str]) -> None:
    missing = [path for path in paths if path != STDIN and not Path(path).exists()]
    if missing:
        raise WrongUsage(f"{', '.join(missing)}: no such file or folder")


def _most_bytes(config: Config) -> int:
    return max((box.max_message_bytes for box in config.mailbox), default=_DEFAULT_MOST_BYTES)


def _explained(reader: Reader, found: Found) -> dict[str, object]:
    """One line; a mail that cannot be read is a line too, and the others come all the same."""
    try:
        return _read(reader, found)
    except Exception as error:  # noqa: BLE001  # one mail must not hide the others behind it
        return unreadable_json(
            found.path, f"reading failed ({type(error).__name__}): this is a bug in mailbot"
        )


def _read(reader: Reader, found: Found) -> dict[str, object]:
    match found:
        case Unavailable(path, reason):
            return unreadable_json(path, reason)
        case PlainText(path, subject, text):
            return as_json(reader.read_text(subject, text), path)
        case RawMail(path, raw):
            reading = reader.read(raw, datetime.now(UTC))
            if isinstance(reading, Unreadable):
                return unreadable_json(path, reading.reason)
            return as_json(reading, path)


def _print_readable(line: Mapping[str, object]) -> None:
    for name, value in _readable(line):
        say(f"{name:>10}  {value}" if name else f"{'':12}{value}")
    say()


def _readable(line: Mapping[str, object]) -> list[tuple[str, str]]:
    """Name and text of each row for people; rows without a name go on with the one before."""
    rows = [("mail", str(line["path"]))]
    if line["error"]:
        rows.append(("error", str(line["error"])))
    else:
        rows += [("from", str(line["from"] or "nobody in particular")), ("subject", str(line["subject"]))]
        rows += _letter(line)
    rows.append(("decision", str(line["decision"]).upper()))
    rows += [("", reason) for reason in _texts(line["reasons"])]
    return rows


def _letter(line: Mapping[str, object]) -> list[tuple[str, str]]:
    rows = [("language", f"{line['language'] or 'unknown'} ({line['language_confidence']})")]
    if line["automatic"]:
        rows.append(("automatic", str(line["automatic"])))
    rows += _words(str(line["new_text"]))
    rows += _attachments(line["attachments"])
    requests = line["requests"]
    for request in requests if isinstance(requests, list) else []:
        rows += _request(request)
    opinions = line["opinions"]
    for opinion in opinions if isinstance(opinions, list) else []:
        rows += _opinion(opinion)
    sender = line["sender"]
    if isinstance(sender, dict):
        how = f" by {sender['method']} of {sender['domain']}" if sender["method"] else ""
        rows.append(("sender", f"{sender['verdict']}{how}"))
        rows += [("", reason) for reason in _texts(sender["reasons"])]
    return rows


def _words(text: str) -> list[tuple[str, str]]:
    shown = text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]} …"
    lines = [one for one in shown.splitlines() if one.strip()] or ["(nothing)"]
    return [("wrote" if number == 0 else "", one) for number, one in enumerate(lines)]


def _attachments(files: object) -> list[tuple[str, str]]:
    listed = files if isinstance(files, list) else []
    return [("attached", f"{one['name']} ({one['kind']}): {_read_of(one)}") for one in listed]


def _read_of(file: Mapping[str, object]) -> str:
    if file["text"] is None:
        return f"not read, {file['unread']}" if file["unread"] else "not read"
    return "read" if file["by_the_sender"] else "written by somebody else, asks nothing"


def _request(request: Mapping[str, object]) -> list[tuple[str, str]]:
    where = f" in the attached file {request['attachment']}" if request["attachment"] else ""
    rows = [
        ("asks", f"{request['kind']}{where}, as {request['capacity']} (confidence {request['confidence']})")
    ]
    evidence, fields = request["evidence"], request["fields"]
    for one in evidence if isinstance(evidence, list) else []:
        rows.append(("", f"“{one['text']}”: {one['sentence']} (rule {one['rule']})"))
    for one in fields if isinstance(fields, list) else []:
        rows.append(("", f"{one['field']}: {one['old'] or '(nothing)'} → {one['new']}"))
    return rows


def _opinion(opinion: Mapping[str, object]) -> list[tuple[str, str]]:
    rules = "not seen" if opinion["rules"] is None else f"{opinion['rules']:.2f}"
    rows = [("opinions", f"{opinion['kind']}: rules {rules}, second opinion {opinion['model']:.2f}")]
    features = opinion["features"]
    weighed = [
        f"{one['name']} ({one['sort']}) {one['weight']:+.2f}"
        for one in (features if isinstance(features, list) else [])
    ]
    return [*rows, ("", f"weighed most: {', '.join(weighed)}")] if weighed else rows


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
