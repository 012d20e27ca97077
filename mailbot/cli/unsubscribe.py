"""`mailbot unsubscribe`: links for mailings, and the suppression list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailbot.alarms import Alarms
from mailbot.cli.opened import open_app, walked
from mailbot.cli.options import settings_of
from mailbot.cli.output import note, print_json, say
from mailbot.cli.staff_member import staff_id
from mailbot.cli.stored import open_store, utc_now
from mailbot.cli.suppression_files import Imported, import_file, is_address, write_list
from mailbot.cli.trouble import WrongUsage
from mailbot.core.plan import PlatformTrouble
from mailbot.replaying import Replayed, Replaying
from mailbot.resources import ResourceTrouble
from mailbot.store import suppressions
from mailbot.store.tables import Suppression
from mailbot.unsubscribing import Links

app = typer.Typer(no_args_is_help=True, add_completion=False)

STDOUT = Path("-")
_LINES_SHOWN = 20

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="An e-mail address.")]


@app.callback()
def unsubscribe() -> None:
    """Unsubscribe links, and the suppression list."""


@app.command()
def link(
    ctx: typer.Context,
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS…", help="E-mail addresses.")],
) -> None:
    """The links and headers of each address for the platform's mailer. With --json one line an address."""
    for number, address in enumerate(addresses, 1):
        _check(address, number)
    unsubscribing = open_app(ctx).unsubscribing
    for address in addresses:
        links = unsubscribing.link(address)
        if settings_of(ctx).json:
            print_json({"address": address, **_headers(links)})
        else:
            say(f"{address}\n  {links.url}\n  {links.mailto}")
            say(f"  List-Unsubscribe: {links.list_unsubscribe}")
            say(f"  List-Unsubscribe-Post: {links.list_unsubscribe_post}\n")


@app.command("import")
def import_list(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.csv", help="With a column `email`, or addresses in the first column."),
    ],
    platform: Annotated[
        bool, typer.Option("--platform", help="Switch them off on the platform, too, and read it back.")
    ] = False,
) -> None:
    """Put every address of a file on the suppression list; those on it already stay as they are.

    Nobody is written to. Doing it again with the same file changes nothing.
    """
    if not file.is_file():
        raise WrongUsage(f"{file}: no such file")
    done = import_file(open_store(ctx), file, utc_now(), lambda lines: note(f"{lines} lines read …"))
    switched = _switch_off(ctx) if platform else None
    left = len(switched.left) if switched else 0
    if settings_of(ctx).json:
        print_json(
            _report(done) | ({"switched_off": switched.unsubscribed, "left": left} if switched else {})
        )
    else:
        if switched:
            say(f"{switched.unsubscribed} switched off on the platform, {left} could not be.")
        say(f"{done.added} added, {done.already} were on the list already, {done.bad_count} bad lines.")
        for line, reason in done.bad[:_LINES_SHOWN]:
            say(f"  line {line}: {reason}")
        if done.bad_count > _LINES_SHOWN:
            say("  … (--json lists them)")
    raise typer.Exit(1 if done.bad_count or left else 0)


def _switch_off(ctx: typer.Context) -> Replayed:
    opened = open_app(ctx)
    alarms = Alarms(opened.advance, opened.config.controller)
    try:
        return Replaying(opened.store, walked(opened.platform), opened.clock, alarms).unsubscribe()
    except PlatformTrouble as trouble:
        raise ResourceTrouble(
            f"the list is imported, but not on the platform: {trouble}; run it again"
        ) from None


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file, or - for standard output.")],
) -> None:
    """Write who is on the suppression list: keyed hash, since when and how. Addresses are not stored anywhere."""
    count = write_list(open_store(ctx), None if file == STDOUT else file)
    note(f"{count} rows; each names a person by a keyed hash, since addresses are not stored")


@app.command()
def status(ctx: typer.Context, address: Address) -> None:
    """Whether, since when and how an address is unsubscribed."""
    _check(address)
    with open_store(ctx).read() as tx:
        found = suppressions.status(tx, address)
    if settings_of(ctx).json:
        print_json(_standing(found))
    else:
        say(_sentence(found))


@app.command()
def undo(
    ctx: typer.Context,
    address: Address,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="The staff account of whom the person asked.")
    ] = None,
) -> None:
    """Take the address off the suppression list, because the person asks for promotional mail again."""
    _check(address)
    opened = open_app(ctx)
    who = f"staff:{staff_id(opened.store, by, utc_now())}" if by else "staff"
    undone = opened.unsubscribing.undo(address, how="staff", now=utc_now(), by=who)
    if settings_of(ctx).json:
        print_json({"undone": undone})
    else:
        say("Taken off the list." if undone else "The address was not on the list: nothing was changed.")


def _check(address: str, number: int = 1) -> None:
    if not is_address(address):
        raise WrongUsage(f"address number {number} is not an e-mail address")


def _headers(links: Links) -> dict[str, str]:
    return {
        "url": links.url,
        "mailto": links.mailto,
        "list_unsubscribe": links.list_unsubscribe,
        "list_unsubscribe_post": links.list_unsubscribe_post,
    }


def _report(done: Imported) -> dict[str, object]:
    return {
        "by": done.by,
        "lines": done.lines,
        "added": done.added,
        "already": done.already,
        "bad_count": done.bad_count,
        "bad": [{"line": line, "reason": reason} for line, reason in done.bad],
    }


def _standing(found: Suppression | None) -> dict[str, object]:
    if found is None:
        return {"unsubscribed": False, "since": None, "how": None, "by": None, "lifted_at": None}
    return {
        "unsubscribed": found.lifted_at is None,
        "since": found.since.isoformat(),
        "how": found.how,
        "by": found.by,
        "lifted_at": found.lifted_at.isoformat() if found.lifted_at else None,
    }


def _sentence(found: Suppression | None) -> str:
    if found is None:
        return "Not unsubscribed, and never was."
    if found.lifted_at:
        return f"Not unsubscribed: was from {found.since:%Y-%m-%d} (by {found.how}) until {found.lifted_at:%Y-%m-%d}."
    return f"Unsubscribed since {found.since:%Y-%m-%d %H:%M} UTC, by {found.how}."
