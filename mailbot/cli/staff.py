"""`mailbot staff`: accounts of the people who work the queue."""

from __future__ import annotations

import secrets
import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.options import settings_of
from mailbot.cli.output import print_json, print_table, say
from mailbot.cli.stored import open_store, utc_now
from mailbot.cli.trouble import Failed, WrongUsage
from mailbot.core.ledger import Entry
from mailbot.store import ledger, staff
from mailbot.store.database import Transaction
from mailbot.store.tables import Staff

app = typer.Typer(no_args_is_help=True, add_completion=False)

_GENERATED_BYTES = 15


class Role(StrEnum):
    """What an account may do."""

    AGENT = "agent"
    ADMIN = "admin"


Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")]
Signed = Annotated[
    datetime | None,
    typer.Option(
        "--agreement-signed",
        metavar="YYYY-MM-DD",
        formats=["%Y-%m-%d"],
        help="The day the confidentiality agreement was signed; without it nobody can log in.",
    ),
]


@app.callback()
def accounts() -> None:
    """Staff accounts."""


@app.command()
def add(
    ctx: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Option(help="What the account may do.")] = Role.AGENT,
    agreement_signed: Signed = None,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The password is the first line of this file.")
    ] = None,
    generate_password: Annotated[
        bool, typer.Option("--generate-password", help="Make a password and show it, this once.")
    ] = False,
) -> None:
    """Make an account. The password is asked for when neither a file nor --generate-password is given."""
    _check_name(name)
    signed = _day(agreement_signed)
    store = open_store(ctx)
    password = _password(password_file, generate=generate_password)
    with store.begin() as tx:
        account = staff.add(tx, name, password, role=role.value, agreement=signed, now=utc_now())
        _note(tx, account, "staff_added")
    shown = {**_shown(account), **({"password": password} if generate_password else {})}
    if settings_of(ctx).json:
        print_json(shown)
    else:
        say(f"{name} can {'log in' if signed else 'not log in before the agreement is signed'}.")
        if generate_password:
            say(f"Password, shown this once: {password}")


@app.command()
def disable(ctx: typer.Context, name: Name) -> None:
    """The account cannot log in any more; its sessions end now."""
    with open_store(ctx).begin() as tx:
        staff.disable(tx, name, utc_now())
        account = _existing(tx, name)
        _note(tx, account, "staff_disabled")
    _say_account(ctx, account, f"{name} cannot log in any more.")


@app.command()
def enable(ctx: typer.Context, name: Name, agreement_signed: Signed = None) -> None:
    """The account can log in again; also notes the day the agreement was signed."""
    with open_store(ctx).begin() as tx:
        account = staff.enable(tx, name, _day(agreement_signed))
        _note(tx, account, "staff_enabled")
    said = (
        "can log in"
        if account.agreement_signed_on
        else "is enabled, but cannot log in: no agreement is signed"
    )
    _say_account(ctx, account, f"{name} {said}.")


@app.command("list")
def list_accounts(ctx: typer.Context) -> None:
    """All accounts."""
    with open_store(ctx).read() as tx:
        rows = [_shown(account) for account in staff.everyone(tx)]
    if settings_of(ctx).json:
        print_json({"staff": rows})
    else:
        columns = ("name", "role", "agreement_signed", "disabled", "created_at")
        print_table(columns, [[row[column] or "" for column in columns] for row in rows])


def _check_name(name: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > 200 or not name.isprintable():
        raise WrongUsage("a name must be 1 to 200 visible characters without blanks around it")


def _day(signed: datetime | None) -> date | None:
    if signed and signed.date() > utc_now().date():
        raise WrongUsage("--agreement-signed: that day is still to come")
    return signed.date() if signed else None


def _password(file: Path | None, *, generate: bool) -> str:
    if file is not None and generate:
        raise WrongUsage("--password-file and --generate-password exclude each other")
    if generate:
        return secrets.token_urlsafe(_GENERATED_BYTES)
    if file is not None:
        return _first_line(file)
    if not sys.stdin.isatty():
        raise WrongUsage(
            "nobody can be asked for a password here: use --password-file or --generate-password"
        )
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        raise WrongUsage(f"--password-file: {file} is not UTF-8 text") from None
    except OSError as error:
        raise WrongUsage(f"--password-file: {file} cannot be read ({error.strerror})") from None


def _existing(tx: Transaction, name: str) -> Staff:
    account = staff.by_name(tx, name)
    if account is None:
        raise Failed(f"there is no staff account named {name!r}")
    return account


def _note(tx: Transaction, account: Staff, action: str) -> None:
    """Who may see people's data is itself on the ledger; names are not."""
    details: dict[str, str | int] = {"staff": str(account.id), "role": account.role}
    ledger.append(tx, Entry(utc_now(), action, "command line", "", "", "", details))


def _shown(account: Staff) -> dict[str, object]:
    return {
        "name": account.name,
        "id": str(account.id),
        "role": account.role,
        "agreement_signed": account.agreement_signed_on.isoformat() if account.agreement_signed_on else None,
        "disabled": account.disabled_at.isoformat() if account.disabled_at else None,
        "created_at": account.created_at.isoformat(),
    }


def _say_account(ctx: typer.Context, account: Staff, sentence: str) -> None:
    if settings_of(ctx).json:
        print_json(_shown(account))
    else:
        say(sentence)
