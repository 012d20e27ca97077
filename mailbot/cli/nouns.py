"""The program's nouns, each imported only when it is asked for.

Importing everything takes seconds, `mailbot --help` must not. Functions import nothing (the project's style), so
the one late import of the program is here: a name in the table becomes a module when its command is chosen.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from mailbot.cli.options import settings_of, with_common_options
from mailbot.cli.trouble import exit_code_of

NOUNS = {
    "demo": "A whole working system on this machine: nothing to install, nothing to configure.",
    "run": "The service: takes mail in, does what is due, answers; serves the web pages.",
    "explain": "What mailbot would do with these mails, and why. Changes nothing, needs no database.",
    "check": "Try every part of the configuration for real and name the mend of what fails.",
    "cases": "The staff's work without the web page.",
    "staff": "Staff accounts.",
    "unsubscribe": "Unsubscribe links, and the suppression list.",
    "platform": "The platform whose data is changed.",
    "rules": "The rules that understand mails.",
    "audit": "The ledger: verify its chain, write evidence.",
    "db": "Mailbot's own database.",
}
"""Each is the module of its name in this package, which has a Typer `app`."""


class Nouns(TyperGroup):
    """The commands of NOUNS; their help is known without their module."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=said) for name, said in NOUNS.items()}
        with_common_options(self)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The real command instead of the one that only has its name and help."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else None, rest

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; every exception that reaches this place becomes a sentence and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:  # no traceback ever reaches a user
            raise typer.Exit(exit_code_of(error, str(settings_of(ctx).config_file))) from error
        return result


def load(name: str) -> TyperCommand | TyperGroup:
    """The command of a noun, its module imported, with the common options everywhere."""
    command = get_command(importlib.import_module(f"mailbot.cli.{name}").app)
    if not isinstance(command, TyperCommand | TyperGroup):
        raise TypeError(f"the app of {name} is no command of Typer's")
    with_common_options(command)
    command.name = name
    return command
