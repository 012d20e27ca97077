"""The one place where an exception becomes a sentence on standard error and an exit code.

Classes are known by name, so that `mailbot --help` need not import the modules they live in.
"""

from __future__ import annotations

import os
import sys
import traceback

import typer
from typer.exceptions import TyperException

DONE, FAILED, WRONG = 0, 1, 2
STOPPED = 130
"""As shells tell an interrupt."""

_SPOKEN = {
    "mailbot.config.trouble.ConfigTrouble": WRONG,
    "mailbot.resources.ResourceTrouble": WRONG,
    "mailbot.store.encryption.KeyTrouble": WRONG,
    "mailbot.store.encryption.Destroyed": FAILED,
    "mailbot.store.database.StoreTrouble": FAILED,
    "mailbot.store.staff.StaffTrouble": FAILED,
    "mailbot.core.plan.PlatformTrouble": FAILED,
    "mailbot.mail.imap_connection.MailboxTrouble": FAILED,
    "mailbot.desk.DeskTrouble": FAILED,
    "mailbot.keeping.KeepingTrouble": FAILED,
    "mailbot.cli.trouble.WrongUsage": WRONG,
    "mailbot.cli.trouble.Failed": FAILED,
}
"""Their texts are written for people and hold no personal data."""

_DATABASE = "sqlalchemy.exc.SQLAlchemyError"
_NO_SUCH_TABLE = ("no such table", "UndefinedTable")


class WrongUsage(Exception):
    """The command line is wrong; the text says what and the mend. Exit code 2."""


class Failed(Exception):
    """What was asked for could not be done; the text says why and the mend. Exit code 1."""


def exit_code_of(error: BaseException, config: str) -> int:
    """The exit code that `error` ends the program with; the sentence is on standard error. `config` is the
    file that trouble with a key is about.

    Typer's own exceptions (wrong options, an exit that was asked for) go on to Typer.
    """
    if isinstance(error, TyperException | typer.Exit | typer.Abort):
        raise error
    if isinstance(error, BrokenPipeError):
        _let_go_of_output()
        return DONE
    code, sentence = said(error)
    _tell(f"{config}: {sentence}" if _lacks_file(error, sentence, config) else sentence, error)
    return code


def said(error: BaseException) -> tuple[int, str]:
    """The exit code of `error`, and what is said to the person."""
    names = [_name(one) for one in type(error).__mro__]
    for name in names:
        if name in _SPOKEN:
            return _SPOKEN[name], str(error)
    if isinstance(error, KeyboardInterrupt):
        return STOPPED, "stopped"
    if _DATABASE in names:
        return FAILED, _of_database(error)
    if isinstance(error, OSError):
        return FAILED, _of_system(error)
    return FAILED, f"{type(error).__name__}: this is a bug in mailbot; MAILBOT_DEBUG=1 shows where"


def _lacks_file(error: BaseException, sentence: str, config: str) -> bool:
    return _name(type(error)) == "mailbot.config.trouble.ConfigTrouble" and not sentence.startswith(config)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _of_database(error: BaseException) -> str:
    """Without the database's own text, which may quote values."""
    original = getattr(error, "orig", None)
    if any(sign in f"{type(original).__name__} {original}" for sign in _NO_SUCH_TABLE):
        return "a table is missing in the database: run `mailbot db upgrade`, or check [database] and [platform] url"
    kind = type(original or error).__name__
    return f"a database fails ({kind}): check that it runs and that [database] and [platform] url are right"


def _of_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or type(error).__name__}"


def _tell(sentence: str, error: BaseException) -> None:
    if os.environ.get("MAILBOT_DEBUG") == "1":
        traceback.print_exception(error)
    typer.echo(f"mailbot: {sentence}", err=True)


def _let_go_of_output() -> None:
    """Nobody reads any more (`mailbot explain … | head`): Python must not complain about that at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # standard output is no file: a test's
        return
